// How many bits of x are true, in carry-save columns: full adders take three bits of one weight, the oldest first, and
// their sums queue up behind; a half adder takes the last two where N is even. The carries are counted alike.
// M is the bit length of N. A column is a function, so that a simulator sees one assignment and no vector that depends
// on itself.
`default_nettype none
module popcount_columns #(parameter N = 1, parameter M = 1) (input wire [N-1:0] x, output wire [M-1:0] count);
  localparam F = (N - 1) / 2;
  localparam C = N / 2;

  // {the carries, the sum}; a half adder is a full adder of the zero that stands behind the other bits.
  function [C:0] column_sums(input [N-1:0] bits_in);
    reg [3*C:0] waiting;
    reg half_sum;
    integer adder;
    begin
      waiting = {(3*C + 1){1'b0}};
      waiting[N-1:0] = bits_in;
      for (adder = 0; adder < C; adder = adder + 1) begin
        half_sum = waiting[3*adder] ^ waiting[3*adder+1];
        waiting[(adder < F) ? N + adder : 3*C] = half_sum ^ waiting[3*adder+2];
        column_sums[adder+1] = (waiting[3*adder] & waiting[3*adder+1]) | (half_sum & waiting[3*adder+2]);
      end
      column_sums[0] = waiting[3*C];
    end
  endfunction

  generate
    if (N == 1) begin : one
      assign count = x;
    end else begin : many
      wire [C-1:0] carry;
      assign {carry, count[0]} = column_sums(x);
      popcount_columns #(.N(C), .M(M - 1)) rest (.x(carry), .count(count[M-1:1]));
    end
  endgenerate
endmodule
`default_nettype wire
