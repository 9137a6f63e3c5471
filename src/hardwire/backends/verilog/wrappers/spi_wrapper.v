// A core as an SPI slave of mode 0: bits change at falling and are read at rising edges of sclk, the highest bit first.
// A transaction of ceil(X / 8) bytes is an image: x as one number, zeros above it. Other lengths are no image.
// Each transaction returns floor(Y / 8) + 1 bytes: a bit that is 1 where a result has come since the last one was
// returned whole, zeros, and the result. The result of an image is read in the transaction after it.
// clk samples the three inputs through two registers each: sclk has at most clk / 10, and cs_n is high for 4 clocks or more
// between transactions and LATENCY + 6 before the result is read. rst is synchronous and active high.
`default_nettype none
module spi_wrapper #(parameter X = 1, parameter Y = 1, parameter LATENCY = 0) (
  input wire clk,
  input wire rst,
  input wire sclk,
  input wire cs_n,
  input wire mosi,
  output wire miso,
  output reg [X-1:0] core_x,
  input wire [Y-1:0] core_y
);
  function integer bits(input integer n);
    begin
      bits = 1;
      while ((n >> bits) > 0)
        bits = bits + 1;
    end
  endfunction

  localparam [31:0] IMAGE = 8 * ((X + 7) / 8);
  localparam [31:0] ANSWER = 8 * (Y / 8 + 1);
  localparam C = bits(IMAGE > ANSWER ? IMAGE + 1 : ANSWER + 1);

  reg [2:0] sclk_seen, cs_n_seen;
  reg [1:0] mosi_seen;
  wire rise = sclk_seen[2:1] == 2'b01 && !cs_n_seen[1];
  wire fall = sclk_seen[2:1] == 2'b10 && !cs_n_seen[1];
  wire opens = cs_n_seen[2:1] == 2'b10;
  wire closes = cs_n_seen[2:1] == 2'b01;

  always @(posedge clk) begin
    sclk_seen <= {sclk_seen[1:0], sclk};
    cs_n_seen <= {cs_n_seen[1:0], cs_n};
    mosi_seen <= {mosi_seen[0], mosi};
  end

  // The image.
  reg [C-1:0] count;
  reg [LATENCY:0] flight;
  wire [X:0] image = {core_x, mosi_seen[1]};
  wire [LATENCY+1:0] stage = {flight, closes && count == IMAGE[C-1:0]};
  wire arrive = stage[LATENCY+1];

  always @(posedge clk) begin
    if (rise)
      core_x <= image[X-1:0];
    if (rst) begin
      count <= {C{1'b0}};
      flight <= {(LATENCY + 1){1'b0}};
    end else begin
      flight <= stage[LATENCY:0];
      if (opens)
        count <= {C{1'b0}};
      else if (rise && !(&count))
        count <= count + 1'b1;
    end
  end

  // The answer.
  reg [Y-1:0] result;
  reg fresh, returning;
  reg [ANSWER-1:0] answer;
  wire [ANSWER-1:0] whole;
  assign whole[ANSWER-1] = fresh;
  assign whole[Y-1:0] = result;
  generate
    if (ANSWER > Y + 1) begin : pad
      assign whole[ANSWER-2:Y] = {(ANSWER - Y - 1){1'b0}};
    end
  endgenerate
  assign miso = answer[ANSWER-1];

  always @(posedge clk) begin
    if (arrive)
      result <= core_y;
    if (opens)
      answer <= whole;
    else if (fall)
      answer <= {answer[ANSWER-2:0], 1'b0};
    if (rst) begin
      fresh <= 1'b0;
      returning <= 1'b0;
    end else begin
      if (opens)
        returning <= fresh;
      if (arrive)
        fresh <= 1'b1;
      else if (closes && returning && count >= ANSWER[C-1:0])
        fresh <= 1'b0;
    end
  end
  wire unused = image[X];
endmodule
`default_nettype wire
