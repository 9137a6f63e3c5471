// A core between registers, with a bit that tells which results belong to an input.
// Every register has the clock enable ce. A result follows its input by LATENCY + 2 enabled clocks.
// rst, synchronous and active high, clears the valid bits and nothing else; it acts whatever ce is.
`default_nettype none
module registered_wrapper #(parameter X = 1, parameter Y = 1, parameter LATENCY = 0) (
  input wire clk,
  input wire rst,
  input wire ce,
  input wire in_valid,
  input wire [X-1:0] x,
  output wire out_valid,
  output reg [Y-1:0] y,
  output reg [X-1:0] core_x,
  input wire [Y-1:0] core_y
);
  reg [LATENCY+1:0] flight;
  wire [LATENCY+2:0] stage = {flight, in_valid};
  assign out_valid = stage[LATENCY+2];

  always @(posedge clk) begin
    if (ce) begin
      core_x <= x;
      y <= core_y;
    end
    if (rst)
      flight <= {(LATENCY + 2){1'b0}};
    else if (ce)
      flight <= stage[LATENCY+1:0];
  end
endmodule
`default_nettype wire
