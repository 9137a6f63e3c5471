// Results of a core that is never stopped, kept in order until they are taken.
// accept says that an input enters the core in the next clock; its result comes LATENCY clocks after that. Each input
// reserves one of 2**ADDRESS places as it is accepted, and the place is free again once its result is delivered: ready is
// low while there is none, so that no result finds the queue full. One input a clock needs LATENCY + 3 places.
// Three counters, which only count up, with one bit more than a place has: inputs accepted, results written and read.
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
  reg [ADDRESS:0] accepted, written, read;
  reg [LATENCY:0] flight;
  wire [LATENCY+1:0] stage = {flight, accept};
  wire arrive = stage[LATENCY+1];

  assign ready = !rst && (accepted ^ read) != {1'b1, {ADDRESS{1'b0}}};
  assign out_valid = written != read;
  assign y = places[read[ADDRESS-1:0]];

  always @(posedge clk)
    if (arrive)
      places[written[ADDRESS-1:0]] <= core_y;

  always @(posedge clk)
    if (rst) begin
      flight <= {(LATENCY + 1){1'b0}};
      accepted <= {(ADDRESS + 1){1'b0}};
      written <= {(ADDRESS + 1){1'b0}};
      read <= {(ADDRESS + 1){1'b0}};
    end else begin
      flight <= stage[LATENCY:0];
      if (accept)
        accepted <= accepted + 1'b1;
      if (arrive)
        written <= written + 1'b1;
      if (out_valid && out_ready)
        read <= read + 1'b1;
    end
endmodule
`default_nettype wire
