// A core between two AXI4-Streams whose data has W bits, 8 to 512 and a multiple of 8.
// axis_input.v tells what packets are taken and what is dropped; axis_output.v what a result's packet looks like.
// One image in max(ceil(X / W), ceil(Y / W)) clocks. The first beat of a result is there LATENCY + 2 clocks after the last
// beat of its image. No output but s_axis_tready depends on an input within a clock, and that on aresetn alone.
// aresetn is synchronous and active low; it drops what is in flight and the packet that is being read. s_axis_tready is
// low meanwhile.
`default_nettype none
module axis_wrapper #(
  parameter X = 1, parameter Y = 1, parameter LATENCY = 0, parameter W = 8, parameter ADDRESS = 2
) (
  input wire aclk,
  input wire aresetn,
  input wire s_axis_tvalid,
  output wire s_axis_tready,
  input wire [W-1:0] s_axis_tdata,
  input wire [W/8-1:0] s_axis_tkeep,
  input wire s_axis_tlast,
  output wire m_axis_tvalid,
  input wire m_axis_tready,
  output wire [W-1:0] m_axis_tdata,
  output wire [W/8-1:0] m_axis_tkeep,
  output wire m_axis_tlast,
  output wire short_packet,
  output wire long_packet,
  output wire [X-1:0] core_x,
  input wire [Y-1:0] core_y
);
  wire accept, valid, taken;
  wire [Y-1:0] y;

  axis_input #(.X(X), .W(W)) from_stream (
    .aclk(aclk), .aresetn(aresetn), .tvalid(s_axis_tvalid), .tready(s_axis_tready), .tdata(s_axis_tdata),
    .tkeep(s_axis_tkeep), .tlast(s_axis_tlast), .accept(accept), .x(core_x),
    .short_packet(short_packet), .long_packet(long_packet)
  );
  result_queue #(.Y(Y), .LATENCY(LATENCY), .ADDRESS(ADDRESS)) queue (
    .clk(aclk), .rst(!aresetn), .accept(accept), .ready(s_axis_tready), .core_y(core_y),
    .out_valid(valid), .out_ready(taken), .y(y)
  );
  axis_output #(.Y(Y), .W(W)) to_stream (
    .aclk(aclk), .aresetn(aresetn), .in_valid(valid), .in_ready(taken), .y(y),
    .tvalid(m_axis_tvalid), .tready(m_axis_tready), .tdata(m_axis_tdata), .tkeep(m_axis_tkeep), .tlast(m_axis_tlast)
  );
endmodule
`default_nettype wire
