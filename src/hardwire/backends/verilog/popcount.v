// How many bits of x are true: count(x[0:N]) = count(x[0:H]) + count(x[H:N-1]) + x[N-1] with H = (N - 1) / 2.
// The last bit rides in as carry. M is the bit length of N. Sums are chains of full adders rather than `+`: synthesis
// tools spell a `+` of few bits as a carry-lookahead adder of several times as many gates. The chain is a function, so
// that a simulator sees one assignment and no vector that depends on itself. Names inside functions are long, since
// for Verilator they hide equal names in the modules above.
`default_nettype none
module popcount #(parameter N = 1, parameter M = 1) (input wire [N-1:0] x, output wire [M-1:0] count);
  function integer bit_length(input integer bit_length_n);
    begin
      bit_length = 0;
      while (bit_length_n > 0) begin
        bit_length = bit_length + 1;
        bit_length_n = bit_length_n >> 1;
      end
    end
  endfunction

  function [M-1:0] chain_sum(input [M-1:0] sum_a, input [M-1:0] sum_b, input sum_carry_in);
    reg sum_carry, sum_half;
    integer sum_place;
    begin
      sum_carry = sum_carry_in;
      for (sum_place = 0; sum_place < M; sum_place = sum_place + 1) begin
        sum_half = sum_a[sum_place] ^ sum_b[sum_place];
        chain_sum[sum_place] = sum_half ^ sum_carry;
        sum_carry = (sum_a[sum_place] & sum_b[sum_place]) | (sum_half & sum_carry);
      end
    end
  endfunction

  localparam H = (N - 1) / 2;
  localparam ML = bit_length(H);
  localparam MR = bit_length(N - 1 - H);

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
      assign count = chain_sum({{(M - ML){1'b0}}, low}, {{(M - MR){1'b0}}, high}, x[N-1]);
    end
  endgenerate
endmodule
`default_nettype wire
