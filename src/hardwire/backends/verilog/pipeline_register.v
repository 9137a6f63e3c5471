// W bits, one enabled clock later. Data registers of a pipeline need no reset: what they held at power-up leaves with
// the latency.
`default_nettype none
module pipeline_register #(parameter W = 1)
    (input wire clk, input wire ce, input wire [W-1:0] d, output reg [W-1:0] q);
  always @(posedge clk) if (ce) q <= d;
endmodule
`default_nettype wire
