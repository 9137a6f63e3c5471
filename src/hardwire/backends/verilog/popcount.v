// How many bits of x are true: count(x[0:N]) = count(x[0:H]) + count(x[H:N-1]) + x[N-1] with H = (N - 1) / 2.
// The last bit rides in as carry. M is the bit length of N. Sums are chains of full adders rather than `+`: synthesis
// tools spell a `+` of few bits as a carry-lookahead adder of several times as many gates.
`default_nettype none
module popcount #(parameter N = 1, parameter M = 1) (input wire [N-1:0] x, output wire [M-1:0] count);
  function integer bits(input integer n);
    begin
      bits = 0;
      while (n > 0) begin
        bits = bits + 1;
        n = n >> 1;
      end
    end
  endfunction

  localparam H = (N - 1) / 2;
  localparam ML = bits(H);
  localparam MR = bits(N - 1 - H);

  genvar j;
  generate
    if (N == 1) begin : one
      assign count = x;
    end else if (N == 2) begin : two
      assign count = {x[1] & x[0], x[1] ^ x[0]};
    end else begin : many
      wire [ML-1:0] low;
      wire [MR-1:0] high;
      popcount #(.N(H), .M(ML)) left (.x(x[H-1:0]), .count(low));
      popcount #(.N(N - 1 - H), .M(MR)) right (.x(x[N-2:H]), .count(high));
      wire [M-1:0] a = low, b = high;
      wire [M:0] carry;
      assign carry[0] = x[N-1];
      for (j = 0; j < M; j = j + 1) begin : bit_
        wire half = a[j] ^ b[j];
        assign count[j] = half ^ carry[j];
        assign carry[j+1] = (a[j] & b[j]) | (half & carry[j]);
      end
    end
  endgenerate
endmodule
`default_nettype wire
