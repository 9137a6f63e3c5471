// @{generated}.
//
// Core @{name} behind the pins of a Tiny Tapeout project.
//   ui_in          a byte of the sample: @{bits} bits in @{bytes} bytes, the first byte has the lowest bits;
//                  the core's unused input bits are not sent (layout.json lists those that are)
//   uio_in[0]      write: at a rising edge of clk the byte is taken
//   uio_out[1]     full: all @{bytes} bytes of a sample were taken, the next byte begins another
//   uio_in[7:2]    which byte of the @{outputs} output bits stands at uo_out
//   uo_out         the core's outputs, combinational: valid when full, after the core's delay
//   rst_n          forgets the bytes that were counted; the bits themselves have no reset
`default_nettype none
module @{top} (
  input  wire [7:0] ui_in,
  output wire [7:0] uo_out,
  input  wire [7:0] uio_in,
  output wire [7:0] uio_out,
  output wire [7:0] uio_oe,
  input  wire       ena,
  input  wire       clk,
  input  wire       rst_n
);
  localparam BYTES = @{bytes};
  localparam COUNT = @{count_width};
  localparam [COUNT-1:0] ONE = 1, ALL = BYTES;

  reg  [8*BYTES-1:0] bits;
  reg  [COUNT-1:0]   count;
  wire               full = count == ALL;
  wire [@{padded_outputs}-1:0] y;
  wire               unused = &{ena, uio_in, bits, 1'b0};

  always @@(posedge clk)
    if (uio_in[0])
      bits <= @{shifted};

  always @@(posedge clk)
    if (!rst_n)
      count <= 0;
    else if (uio_in[0])
      count <= full ? ONE : count + ONE;

@{core}

  assign uo_out = @{selected};
  assign uio_out = {6'b0, full, 1'b0};
  assign uio_oe = 8'b00000010;
endmodule
`default_nettype wire
