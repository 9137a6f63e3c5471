// A core with valid and ready at both ends: one input a clock, results in order, none lost while out_ready is low.
// A word moves at a clock where valid and ready are both high. No output depends on an input within a clock, but for rst.
// A result is there LATENCY + 2 clocks after its input. rst is synchronous and active high; it drops what is in flight.
`default_nettype none
module stream_wrapper #(parameter X = 1, parameter Y = 1, parameter LATENCY = 0, parameter ADDRESS = 2) (
  input wire clk,
  input wire rst,
  input wire in_valid,
  output wire in_ready,
  input wire [X-1:0] x,
  output wire out_valid,
  input wire out_ready,
  output wire [Y-1:0] y,
  output reg [X-1:0] core_x,
  input wire [Y-1:0] core_y
);
  // Where in_ready is low, x is loaded too early, which nothing reads: the register's enable does not wait for in_ready.
  always @(posedge clk)
    if (in_valid)
      core_x <= x;

  result_queue #(.Y(Y), .LATENCY(LATENCY), .ADDRESS(ADDRESS)) queue (
    .clk(clk), .rst(rst), .accept(in_valid && in_ready), .ready(in_ready), .core_y(core_y),
    .out_valid(out_valid), .out_ready(out_ready), .y(y)
  );
endmodule
`default_nettype wire
