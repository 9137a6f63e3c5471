// A core behind a UART: eight data bits, no parity, one stop bit, DIVIDER clocks a bit.
// An image is ceil(X / 8) bytes, the lowest first, with zeros above x; the answer is the result in ceil(Y / 8) bytes.
// A line that rests for GAP bits begins a new image: an image with a byte too few is dropped then. A byte without its stop
// bit drops the image. dropped is high for a clock where bytes were dropped, and there is no answer to them.
// An answer that comes while the one before is being sent is lost: where an image is no longer than an answer, wait for
// the answer. rst is synchronous and active high.
`default_nettype none
module uart_wrapper #(
  parameter X = 1, parameter Y = 1, parameter LATENCY = 0, parameter DIVIDER = 104, parameter GAP = 20
) (
  input wire clk,
  input wire rst,
  input wire rx,
  output reg tx,
  output reg dropped,
  output wire [X-1:0] core_x,
  input wire [Y-1:0] core_y
);
  function integer bits(input integer n);
    begin
      bits = 1;
      while ((n >> bits) > 0)
        bits = bits + 1;
    end
  endfunction

  localparam IMAGE = (X + 7) / 8;
  localparam ANSWER = (Y + 7) / 8;
  localparam T = bits(DIVIDER - 1);
  localparam N = bits(IMAGE - 1);
  localparam M = bits(ANSWER - 1);
  localparam G = bits(GAP * DIVIDER);
  localparam [31:0] BIT = DIVIDER - 1;
  localparam [31:0] HALF = DIVIDER / 2;
  localparam [31:0] REST = GAP * DIVIDER;
  localparam [31:0] LAST_IN = IMAGE - 1;
  localparam [31:0] LAST_OUT = ANSWER - 1;
  localparam [3:0] IDLE = 0, START = 1, DATA = 2, STOP = 10;

  // Bytes in: place 1 is the start bit, 2 to 9 are data, 10 is the stop bit.
  reg [1:0] rx_seen;
  reg [3:0] in_place;
  reg [T-1:0] in_time;
  reg [8*IMAGE-1:0] image;
  wire [8*IMAGE:0] shifted = {rx_seen[1], image};
  wire sample = in_place != IDLE && in_time == {T{1'b0}};
  wire byte_ends = sample && in_place == STOP;

  always @(posedge clk) begin
    rx_seen <= {rx_seen[0], rx};
    if (sample && in_place >= DATA && in_place < STOP)
      image <= shifted[8*IMAGE:1];
    if (rst) begin
      in_place <= IDLE;
      in_time <= {T{1'b0}};
    end else if (in_place == IDLE) begin
      in_time <= HALF[T-1:0];
      if (!rx_seen[1])
        in_place <= START;
    end else if (!sample)
      in_time <= in_time - 1'b1;
    else begin
      in_time <= BIT[T-1:0];
      in_place <= byte_ends || (in_place == START && rx_seen[1]) ? IDLE : in_place + 1'b1;
    end
  end

  // Images out of bytes.
  reg [N-1:0] at;
  reg [G-1:0] rest;
  reg bad;
  wire rested = rest == REST[G-1:0];
  wire good = byte_ends && rx_seen[1] && !bad;
  wire image_ends = good && at == LAST_IN[N-1:0];
  reg [LATENCY:0] flight;
  wire [LATENCY+1:0] stage = {flight, image_ends};
  wire arrive = stage[LATENCY+1];
  assign core_x = image[X-1:0];

  always @(posedge clk)
    if (rst) begin
      at <= {N{1'b0}};
      rest <= {G{1'b0}};
      bad <= 1'b0;
      dropped <= 1'b0;
      flight <= {(LATENCY + 1){1'b0}};
    end else begin
      flight <= stage[LATENCY:0];
      dropped <= (byte_ends && !rx_seen[1] && !bad) || (rested && at != {N{1'b0}});
      if (in_place != IDLE || !rx_seen[1])
        rest <= {G{1'b0}};
      else if (!rested)
        rest <= rest + 1'b1;
      if (rested)
        bad <= 1'b0;
      else if (byte_ends && !rx_seen[1])
        bad <= 1'b1;
      if (rested || image_ends || (byte_ends && !rx_seen[1]))
        at <= {N{1'b0}};
      else if (good)
        at <= at + 1'b1;
    end

  // The answer: place 1 is the start bit, 2 to 9 are data, 10 is the stop bit.
  reg [3:0] out_place;
  reg [T-1:0] out_time;
  reg [M-1:0] sent;
  reg [8*ANSWER-1:0] answer;
  wire [8*ANSWER-1:0] padded;
  assign padded[Y-1:0] = core_y;
  generate
    if (8 * ANSWER > Y) begin : pad
      assign padded[8*ANSWER-1:Y] = {(8 * ANSWER - Y){1'b0}};
    end
  endgenerate

  always @(posedge clk)
    if (rst) begin
      tx <= 1'b1;
      out_place <= IDLE;
      out_time <= {T{1'b0}};
      sent <= {M{1'b0}};
    end else if (out_place == IDLE) begin
      out_time <= BIT[T-1:0];
      sent <= {M{1'b0}};
      if (arrive) begin
        answer <= padded;
        tx <= 1'b0;
        out_place <= START;
      end
    end else if (out_time != {T{1'b0}})
      out_time <= out_time - 1'b1;
    else begin
      out_time <= BIT[T-1:0];
      if (out_place < STOP - 1) begin
        tx <= answer[0];
        answer <= {1'b0, answer[8*ANSWER-1:1]};
        out_place <= out_place + 1'b1;
      end else if (out_place == STOP - 1) begin
        tx <= 1'b1;
        out_place <= STOP;
      end else begin
        tx <= sent == LAST_OUT[M-1:0];
        out_place <= sent == LAST_OUT[M-1:0] ? IDLE : START;
        sent <= sent + 1'b1;
      end
    end
  wire unused = shifted[0];
endmodule
`default_nettype wire
