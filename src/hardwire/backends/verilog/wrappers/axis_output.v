// Results as packets of an AXI4-Stream of ceil(Y / W) beats, the lowest bits first, tlast in the last beat.
// Bits past Y are zero, and tkeep is low for the bytes that hold none of Y.
`default_nettype none
module axis_output #(parameter Y = 1, parameter W = 8) (
  input wire aclk,
  input wire aresetn,
  input wire in_valid,
  output wire in_ready,
  input wire [Y-1:0] y,
  output wire tvalid,
  input wire tready,
  output wire [W-1:0] tdata,
  output wire [W/8-1:0] tkeep,
  output wire tlast
);
  function integer bits(input integer n);
    begin
      bits = 1;
      while ((n >> bits) > 0)
        bits = bits + 1;
    end
  endfunction

  localparam BEATS = (Y + W - 1) / W;
  localparam B = bits(BEATS - 1);
  localparam [31:0] LAST = BEATS - 1;
  localparam BYTES = (Y - (BEATS - 1) * W + 7) / 8;

  wire [BEATS*W-1:0] padded;
  assign padded[Y-1:0] = y;
  assign tvalid = in_valid;
  assign in_ready = tready && tlast;

  genvar k;
  generate
    if (BEATS * W > Y) begin : pad
      assign padded[BEATS*W-1:Y] = {(BEATS * W - Y){1'b0}};
    end
    for (k = 0; k < W / 8; k = k + 1) begin : keep
      assign tkeep[k] = !tlast || k < BYTES;
    end
    if (BEATS == 1) begin : one
      assign tdata = padded;
      assign tlast = 1'b1;
      wire unused = &{1'b0, aclk, aresetn};
    end else begin : several
      reg [B-1:0] beat;
      wire [W-1:0] part [0:BEATS-1];
      for (k = 0; k < BEATS; k = k + 1) begin : slice
        assign part[k] = padded[k*W+:W];
      end
      assign tdata = part[beat];
      assign tlast = beat == LAST[B-1:0];
      always @(posedge aclk)
        if (!aresetn)
          beat <= {B{1'b0}};
        else if (tvalid && tready)
          beat <= tlast ? {B{1'b0}} : beat + 1'b1;
    end
  endgenerate
endmodule
`default_nettype wire
