// A count that up and down change by one, and a register that tells whether it is above zero: no output waits for a comparison.
// down comes only where the count is above zero. B is 2 or more.
`default_nettype none
module flagged_counter #(parameter B = 2, parameter START = 0) (
  input wire clk,
  input wire rst,
  input wire up,
  input wire down,
  output reg above_zero
);
  localparam [31:0] FIRST = START;
  reg [B-1:0] count;

  always @(posedge clk)
    if (rst) begin
      count <= FIRST[B-1:0];
      above_zero <= FIRST != 0;
    end else begin
      if (up != down)
        count <= count + {{(B - 1){down}}, 1'b1};
      above_zero <= up || (down ? count[B-1:1] != 0 || !count[0] : above_zero);
    end
endmodule
`default_nettype wire
