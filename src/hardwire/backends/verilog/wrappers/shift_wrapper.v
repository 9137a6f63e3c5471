// A core behind four pins, for small boards and for place and route: x, then the result, as one shift register.
// While shift is high, din enters at bit 0 of x and the result leaves at dout, the highest bit first; the highest bit of
// x moves into bit 0 of the result, so that X + Y clocks later every bit of din is at dout. While shift is low, the
// result is taken from the core at every clock: it belongs to x after LATENCY + 1 clocks. Nothing needs a reset.
`default_nettype none
module shift_wrapper #(parameter X = 1, parameter Y = 1) (
  input wire clk,
  input wire shift,
  input wire din,
  output wire dout,
  output reg [X-1:0] core_x,
  input wire [Y-1:0] core_y
);
  reg [Y-1:0] result;
  wire [X+Y:0] chain = {result, core_x, din};
  assign dout = chain[X+Y];

  always @(posedge clk)
    if (shift)
      {result, core_x} <= chain[X+Y-1:0];
    else
      result <= core_y;
endmodule
`default_nettype wire
