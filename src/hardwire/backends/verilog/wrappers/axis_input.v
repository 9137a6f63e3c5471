// Packets of an AXI4-Stream to inputs of a core, the first beat in the lowest bits.
// A packet has ceil(X / W) beats, and tlast in the last one. Bits past X in the last beat are not read.
// A packet that ends early, or lacks a byte by tkeep, is dropped with short_packet high for a clock; one that does not end
// at its last beat is dropped up to its end with long_packet high for a clock. The packet after it is read as usual.
`default_nettype none
module axis_input #(parameter X = 1, parameter W = 8) (
  input wire aclk,
  input wire aresetn,
  input wire tvalid,
  input wire tready,
  input wire [W-1:0] tdata,
  input wire [W/8-1:0] tkeep,
  input wire tlast,
  output wire accept,
  output reg [X-1:0] x,
  output reg short_packet,
  output reg long_packet
);
  function integer bits(input integer n);
    begin
      bits = 1;
      while ((n >> bits) > 0)
        bits = bits + 1;
    end
  endfunction

  localparam BEATS = (X + W - 1) / W;
  localparam B = bits(BEATS - 1);
  localparam [31:0] BEFORE = BEATS - 2;
  localparam REST = X - (BEATS - 1) * W;
  localparam BYTES = (REST + 7) / 8;

  reg [B-1:0] beat;
  reg dropping;
  reg last;  // whether beat is the last one
  wire whole = last ? &tkeep[BYTES-1:0] : &tkeep;
  wire taken = tvalid && tready && !dropping;
  assign accept = taken && tlast && last && whole;

  always @(posedge aclk)
    if (!aresetn) begin
      beat <= {B{1'b0}};
      dropping <= 1'b0;
      last <= BEATS == 1;
      short_packet <= 1'b0;
      long_packet <= 1'b0;
    end else begin
      short_packet <= taken && (tlast ? !(last && whole) : !(last || whole));
      long_packet <= taken && !tlast && last;
      if (tvalid && tready) begin
        beat <= tlast ? {B{1'b0}} : last ? beat : beat + 1'b1;
        last <= BEATS == 1 || (!tlast && (last || beat == BEFORE[B-1:0]));
        dropping <= !tlast && (dropping || last || !whole);
      end
    end

  // A beat that waits for tready is loaded too early, which nothing reads: its register's enable does not wait.
  genvar k;
  generate
    for (k = 0; k < BEATS; k = k + 1) begin : part
      localparam [31:0] K = k;
      localparam SIZE = k == BEATS - 1 ? REST : W;
      always @(posedge aclk)
        if (tvalid && beat == K[B-1:0])
          x[k*W+:SIZE] <= tdata[SIZE-1:0];
    end
  endgenerate
  wire unused = &{1'b0, tdata};
endmodule
`default_nettype wire
