// How many bits of x are true: count(x[0:N]) = count(x[0:H]) + count(x[H:N-1]) + x[N-1] with H = (N - 1) / 2.
// The last bit rides in as carry. M is the bit length of N. Sums are chains of full adders rather than `+`: synthesis
// tools spell a `+` of few bits as a carry-lookahead adder of several times as many gates. The chain is a function, so
// that a simulator sees one assignment and no vector that depends on itself.
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

  function [M-1:0] sum(input [M-1:0] a, input [M-1:0] b, input carry_in);
    reg carry, half;
    integer j;
    begin
      carry = carry_in;
      for (j = 0; j < M; j = j + 1) begin
        half = a[j] ^ b[j];
        sum[j] = half ^ carry;
        carry = (a[j] & b[j]) | (half & carry);
      end
    end
  endfunction

  localparam H = (N - 1) / 2;
  localparam ML = bits(H);
  localparam MR = bits(N - 1 - H);

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
      assign count = sum({{(M - ML){1'b0}}, low}, {{(M - MR){1'b0}}, high}, x[N-1]);
    end
  endgenerate
endmodule
`default_nettype wire
