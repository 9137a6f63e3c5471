// How many bits of x are true, in carry-save columns: full adders take three bits of one weight, the oldest first, and
// their sums queue up behind; a half adder takes the last two where N is even. The carries are counted alike.
// M is the bit length of N.
`default_nettype none
module popcount_columns #(parameter N = 1, parameter M = 1) (input wire [N-1:0] x, output wire [M-1:0] count);
  localparam F = (N - 1) / 2;
  localparam C = N / 2;

  genvar j;
  generate
    if (N == 1) begin : one
      assign count = x;
    end else begin : many
      wire [N+F-1:0] queue;
      wire [C-1:0] carry;
      assign queue[N-1:0] = x;
      for (j = 0; j < F; j = j + 1) begin : full
        wire half = queue[3*j] ^ queue[3*j+1];
        assign queue[N+j] = half ^ queue[3*j+2];
        assign carry[j] = (queue[3*j] & queue[3*j+1]) | (half & queue[3*j+2]);
      end
      if (N % 2 == 0) begin : even
        assign count[0] = queue[3*F] ^ queue[3*F+1];
        assign carry[F] = queue[3*F] & queue[3*F+1];
      end else begin : odd
        assign count[0] = queue[3*F];
      end
      popcount_columns #(.N(C), .M(M - 1)) rest (.x(carry), .count(count[M-1:1]));
    end
  endgenerate
endmodule
`default_nettype wire
