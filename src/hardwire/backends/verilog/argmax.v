// Index of the largest of N unsigned words of W bits; the lowest index wins a tie. Word i is x[W*i +: W].
// A tournament whose left side has the largest power of two below N words, so that the index needs no adder.
// K = max(1, bit length of N - 1).
`default_nettype none
module argmax #(parameter N = 2, parameter W = 1, parameter K = 1)
    (input wire [N*W-1:0] x, output wire [W-1:0] best, output wire [K-1:0] index);
  localparam L = (N < 2) ? 1 : 1 << (K - 1);
  localparam R = (N < 2) ? 1 : N - L;

  function integer bit_length(input integer bit_length_n);
    begin
      bit_length = 0;
      while (bit_length_n > 0) begin
        bit_length = bit_length + 1;
        bit_length_n = bit_length_n >> 1;
      end
      if (bit_length == 0) bit_length = 1;
    end
  endfunction

  localparam KL = bit_length(L - 1);
  localparam KR = bit_length(R - 1);

  generate
    if (N == 1) begin : one
      assign best = x;
      assign index = {K{1'b0}};
    end else begin : many
      wire [W-1:0] left_best, right_best;
      wire [KL-1:0] left_index;
      wire [KR-1:0] right_index;
      wire wins;
      argmax #(.N(L), .W(W), .K(KL)) left (.x(x[L*W-1:0]), .best(left_best), .index(left_index));
      argmax #(.N(R), .W(W), .K(KR)) right (.x(x[N*W-1:L*W]), .best(right_best), .index(right_index));
      assign wins = right_best > left_best;
      assign best = wins ? right_best : left_best;
      if (N == 2) begin : pair
        wire unused = &{1'b0, left_index, right_index};
        assign index = wins;
      end else begin : tree
        assign index = wins ? {{(K - KR){1'b0}}, right_index} | {1'b1, {(K - 1){1'b0}}} : {1'b0, left_index};
      end
    end
  endgenerate
endmodule
`default_nettype wire
