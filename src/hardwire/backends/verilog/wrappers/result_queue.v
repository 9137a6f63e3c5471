// Results of a core that is never stopped, kept in order until they are taken.
// accept says that an input enters the core in the next clock; its result comes LATENCY clocks after that. Each input
// takes one of 2**ADDRESS credits as it is accepted, and gives it back as its result is delivered: ready is low while there
// is none, so that no result finds all places taken. One input a clock needs LATENCY + 3 places.
`default_nettype none
module result_queue #(parameter Y = 1, parameter LATENCY = 0, parameter ADDRESS = 2) (
  input wire clk,
  input wire rst,
  input wire accept,
  output wire ready,
  input wire [Y-1:0] core_y,
  output wire out_valid,
  input wire out_ready,
  output wire [Y-1:0] y
);
  reg [Y-1:0] places [0:(1<<ADDRESS)-1];
  reg [ADDRESS-1:0] write_at, read_at;
  reg [LATENCY:0] flight;
  wire [LATENCY+1:0] stage = {flight, accept};
  wire arrive = stage[LATENCY+1];
  wire deliver = out_valid && out_ready;
  wire credit;
  assign ready = credit && !rst;
  assign y = places[read_at];

  flagged_counter #(.B(ADDRESS + 1), .START(1 << ADDRESS)) credits (
    .clk(clk), .rst(rst), .up(deliver), .down(accept), .above_zero(credit)
  );
  flagged_counter #(.B(ADDRESS + 1)) results (
    .clk(clk), .rst(rst), .up(arrive), .down(deliver), .above_zero(out_valid)
  );

  always @(posedge clk)
    if (arrive)
      places[write_at] <= core_y;

  always @(posedge clk)
    if (rst) begin
      flight <= {(LATENCY + 1){1'b0}};
      write_at <= {ADDRESS{1'b0}};
      read_at <= {ADDRESS{1'b0}};
    end else begin
      flight <= stage[LATENCY:0];
      if (arrive)
        write_at <= write_at + 1'b1;
      if (deliver)
        read_at <= read_at + 1'b1;
    end
endmodule
`default_nettype wire
