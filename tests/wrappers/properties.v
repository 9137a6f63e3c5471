// Wrappers beside a model of what they are to do. Each bit of an output bad is a property that is never to be false.

// A core that returns its input LATENCY clocks later.
module delay #(parameter W = 1, parameter LATENCY = 1) (input wire clk, input wire [W-1:0] d, output wire [W-1:0] q,
  output wire [(LATENCY+1)*W-1:0] stage);
  assign stage[W-1:0] = d;
  assign q = stage[(LATENCY+1)*W-1:LATENCY*W];
  genvar k;
  generate
    for (k = 0; k < LATENCY; k = k + 1) begin : register
      reg [W-1:0] r;
      assign stage[(k+1)*W+:W] = r;
      always @(posedge clk) r <= stage[k*W+:W];
    end
  endgenerate
endmodule

// Inputs accepted and results delivered: how many are in flight, and the turn of one input, which pick marks.
// bad: 0 more are in flight than there are places; 1 a result without an input; 2 no result LATENCY + 2 clocks after an
// input that no other is before.
module in_order #(parameter W = 1, parameter LATENCY = 1, parameter PLACES = 4) (
  input wire clk, input wire reset, input wire accept, input wire deliver, input wire out_valid,
  input wire [W-1:0] x, input wire pick,
  output reg [5:0] in_flight, output reg [1:0] state, output reg [5:0] before, output reg [5:0] dry,
  output wire due, output reg [W-1:0] marked, output wire [2:0] bad
);
  // state: 0 nothing is marked, 1 the marked input is in flight, 2 its result was delivered
  assign due = state == 1 && before == 0;
  assign bad = {in_flight != 0 && !out_valid && dry > LATENCY, out_valid && in_flight == 0, in_flight > PLACES};
  always @(posedge clk)
    if (reset) begin
      in_flight <= 0;
      state <= 0;
      dry <= 0;
    end else begin
      in_flight <= in_flight + accept - deliver;
      dry <= in_flight != 0 && !out_valid ? dry + 1 : 0;
      if (state == 0 && accept && pick) begin
        state <= 1;
        before <= in_flight - deliver;
        marked <= x;
      end else if (state == 1 && deliver) begin
        before <= before - 1;
        if (before == 0)
          state <= 2;
      end
    end
endmodule

// Registers of result_queue against in_order: what is true at every clock, and is enough for a proof by induction.
module queue_invariant #(parameter W = 1, parameter LATENCY = 1, parameter ADDRESS = 2) (
  input wire [ADDRESS-1:0] write_at, input wire [ADDRESS-1:0] read_at,
  input wire [ADDRESS:0] credits_count, input wire [ADDRESS:0] results_count, input wire credit, input wire out_valid,
  input wire [LATENCY:0] flight, input wire [(1<<ADDRESS)*W-1:0] places, input wire [(LATENCY+1)*W-1:0] stage,
  input wire [5:0] in_flight, input wire [1:0] state, input wire [5:0] before, input wire [5:0] dry,
  input wire [W-1:0] marked, output wire holds
);
  // later[s] of the inputs in the core are at stage s or after it; oldest is the stage of the first of them.
  reg [5:0] later [0:LATENCY+1];
  reg [5:0] oldest;
  reg at_its_stage;
  integer s;
  always @* begin
    later[LATENCY+1] = 0;
    oldest = 0;
    for (s = LATENCY; s >= 0; s = s - 1)
      later[s] = later[s+1] + flight[s];
    for (s = 0; s <= LATENCY; s = s + 1)
      if (flight[s])
        oldest = s;
  end
  wire [5:0] in_core = later[0];
  wire [5:0] in_queue = in_flight - in_core;
  wire [ADDRESS-1:0] apart = write_at - read_at, place = read_at + before;
  always @* begin
    at_its_stage = 1;
    for (s = 0; s <= LATENCY; s = s + 1)
      if (flight[s] && later[s+1] == before - in_queue && stage[s*W+:W] != marked)
        at_its_stage = 0;
  end
  assign holds = credits_count + in_flight == (1 << ADDRESS) && in_core <= in_flight && results_count == in_queue
    && apart == in_queue[ADDRESS-1:0] && credit == (credits_count != 0) && out_valid == (results_count != 0)
    && (in_flight == 0 || out_valid || dry <= oldest)
    && (state != 1 || before < in_flight && (before < in_queue ? places[place*W+:W] == marked : at_its_stage));
endmodule

// bad: 0 to 2 as in_order; 3 the marked input's result is wrong; 4 a result that waits changes or goes; 5 there is a place
// and no input is taken; 6 one is taken in reset.
module stream_properties #(parameter X = 2, parameter LATENCY = 1, parameter ADDRESS = 1) (
  input wire clk, input wire rst, input wire in_valid, input wire [X-1:0] x, input wire out_ready, input wire pick,
  output wire [6:0] bad, output wire holds, output reg started
);
  initial started = 0;
  wire reset = rst || !started;
  wire in_ready, out_valid, due;
  wire [2:0] order;
  wire [X-1:0] y, core_x, core_y, marked;
  wire [5:0] in_flight, before, dry;
  wire [1:0] state;
  stream_wrapper #(.X(X), .Y(X), .LATENCY(LATENCY), .ADDRESS(ADDRESS)) dut (
    .clk(clk), .rst(reset), .in_valid(in_valid), .in_ready(in_ready), .x(x),
    .out_valid(out_valid), .out_ready(out_ready), .y(y), .core_x(core_x), .core_y(core_y)
  );
  delay #(.W(X), .LATENCY(LATENCY)) core (.clk(clk), .d(core_x), .q(core_y), .stage(stage));
  in_order #(.W(X), .LATENCY(LATENCY), .PLACES(1 << ADDRESS)) model (
    .clk(clk), .reset(reset), .accept(in_valid && in_ready), .deliver(out_valid && out_ready), .out_valid(out_valid),
    .x(x), .pick(pick), .in_flight(in_flight), .state(state),
    .before(before), .dry(dry), .due(due), .marked(marked), .bad(order)
  );
  reg waits = 0;
  reg [X-1:0] y_before;
  always @(posedge clk) begin
    started <= 1;
    waits <= !reset && out_valid && !out_ready;
    y_before <= y;
  end
  assign bad[2:0] = started ? order : 0;  // before the first reset nothing is said
  assign bad[3] = started && due && out_valid && y != marked;
  assign bad[4] = waits && (!out_valid || y != y_before);
  assign bad[5] = !reset && in_flight < (1 << ADDRESS) && !in_ready;
  assign bad[6] = reset && in_ready;

  // Wires that are joined with registers of the wrapper once the modules are one.
  wire [ADDRESS-1:0] write_at, read_at;
  wire [ADDRESS:0] credits_count, results_count;
  wire credit;
  wire [LATENCY:0] flight;
  wire [(1<<ADDRESS)*X-1:0] places;
  wire [(LATENCY+1)*X-1:0] stage;
  wire queue_holds;
  queue_invariant #(.W(X), .LATENCY(LATENCY), .ADDRESS(ADDRESS)) queue_invariant (
    .write_at(write_at), .read_at(read_at), .credits_count(credits_count), .results_count(results_count), .credit(credit),
    .out_valid(out_valid), .flight(flight), .places(places), .stage(stage),
    .in_flight(in_flight), .state(state), .before(before), .dry(dry), .marked(marked), .holds(queue_holds)
  );
  assign holds = queue_holds;
endmodule

// bad: 0 to 6 as stream_properties; 7 a packet is flagged that is none, or the other way; 8 a result's packet has another
// form than ceil(Y / W) beats with tlast in the last, tkeep for its bytes.
module axis_properties #(parameter X = 12, parameter W = 8, parameter LATENCY = 1, parameter ADDRESS = 1) (
  input wire clk, input wire rst, input wire in_valid, input wire [W-1:0] data, input wire [W/8-1:0] keep, input wire last,
  input wire out_ready, input wire pick,
  output wire [8:0] bad, output wire holds, output reg started
);
  localparam BEATS = (X + W - 1) / W;
  localparam BYTES = (X - (BEATS - 1) * W + 7) / 8;
  initial started = 0;
  wire reset = rst || !started;
  wire in_ready, out_valid, out_last, short_packet, long_packet, due;
  wire [2:0] order;
  wire [W-1:0] out_data;
  wire [W/8-1:0] out_keep;
  wire [X-1:0] core_x, core_y, marked;
  wire [5:0] in_flight, before, dry;
  wire [1:0] state;
  axis_wrapper #(.X(X), .Y(X), .LATENCY(LATENCY), .W(W), .ADDRESS(ADDRESS)) dut (
    .aclk(clk), .aresetn(!reset), .s_axis_tvalid(in_valid), .s_axis_tready(in_ready), .s_axis_tdata(data),
    .s_axis_tkeep(keep), .s_axis_tlast(last), .m_axis_tvalid(out_valid), .m_axis_tready(out_ready),
    .m_axis_tdata(out_data), .m_axis_tkeep(out_keep), .m_axis_tlast(out_last),
    .short_packet(short_packet), .long_packet(long_packet), .core_x(core_x), .core_y(core_y)
  );
  delay #(.W(X), .LATENCY(LATENCY)) core (.clk(clk), .d(core_x), .q(core_y), .stage(stage));

  // Packets as they come in: the beats before this one, and whether they can be those of an image.
  reg [3:0] beat, out_beat;
  reg faulty, expect_short, expect_long;
  reg [BEATS*W-1:0] beats;
  wire [BEATS*W-1:0] image = beat < BEATS ? beats | (data << (beat * W)) : beats;
  wire kept = beat == BEATS - 1 ? &keep[BYTES-1:0] : &keep;
  wire moves = in_valid && in_ready;
  wire short = moves && !faulty && (last ? beat != BEATS - 1 || !kept : beat != BEATS - 1 && !kept);
  wire long = moves && !faulty && !last && beat == BEATS - 1;
  wire accept = moves && !faulty && last && !short;
  wire delivers = out_valid && out_ready;
  in_order #(.W(X), .LATENCY(LATENCY), .PLACES(1 << ADDRESS)) model (
    .clk(clk), .reset(reset), .accept(accept), .deliver(delivers && out_last), .out_valid(out_valid),
    .x(image[X-1:0]), .pick(pick), .in_flight(in_flight), .state(state),
    .before(before), .dry(dry), .due(due), .marked(marked), .bad(order)
  );
  reg waits = 0;
  reg [W+W/8:0] held;
  always @(posedge clk) begin
    started <= 1;
    waits <= !reset && out_valid && !out_ready;
    held <= {out_last, out_keep, out_data};
    if (reset) begin
      beat <= 0;
      out_beat <= 0;
      beats <= 0;
      faulty <= 0;
      expect_short <= 0;
      expect_long <= 0;
    end else begin
      expect_short <= short;
      expect_long <= long;
      if (moves) begin
        beat <= last ? 0 : beat < BEATS ? beat + 1 : beat;
        beats <= last ? 0 : image;
        faulty <= !last && (faulty || short || long);
      end
      if (delivers)
        out_beat <= out_last ? 0 : out_beat + 1;
    end
  end
  wire [BEATS*W-1:0] expected = marked;
  wire final = out_beat == BEATS - 1;
  assign bad[2:0] = started ? order : 0;  // before the first reset nothing is said
  assign bad[3] = started && due && out_valid && out_data != expected[out_beat*W+:W];
  assign bad[4] = waits && (!out_valid || {out_last, out_keep, out_data} != held);
  assign bad[5] = !reset && in_flight < (1 << ADDRESS) && !in_ready;
  assign bad[6] = reset && in_ready;
  assign bad[7] = started && (short_packet != expect_short || long_packet != expect_long);
  assign bad[8] = started && out_valid && (out_last != final || out_keep != (final ? (1 << BYTES) - 1 : {(W/8){1'b1}}));

  // Wires that are joined with registers of the wrapper once the modules are one.
  wire [ADDRESS-1:0] write_at, read_at;
  wire [ADDRESS:0] credits_count, results_count;
  wire credit;
  wire [LATENCY:0] flight;
  wire [(1<<ADDRESS)*X-1:0] places;
  wire [(LATENCY+1)*X-1:0] stage;
  wire queue_holds;
  queue_invariant #(.W(X), .LATENCY(LATENCY), .ADDRESS(ADDRESS)) queue_invariant (
    .write_at(write_at), .read_at(read_at), .credits_count(credits_count), .results_count(results_count), .credit(credit),
    .out_valid(out_valid), .flight(flight), .places(places), .stage(stage),
    .in_flight(in_flight), .state(state), .before(before), .dry(dry), .marked(marked), .holds(queue_holds)
  );
  wire [(BEATS>2?$clog2(BEATS):1)-1:0] in_beat, to_beat;  // of axis_input and of axis_output
  wire dropping, in_last;
  reg parts;
  integer k;
  always @* begin
    parts = 1;
    for (k = 0; k < X; k = k + 1)
      if (k / W < beat && core_x[k] != beats[k])
        parts = 0;
    for (k = 0; k < BEATS * W; k = k + 1)
      if (k / W >= beat && beats[k])
        parts = 0;
  end
  assign holds = queue_holds && dropping == faulty && (faulty || (beat < BEATS && in_beat == beat && in_last == (beat == BEATS - 1) && parts))
    && out_beat < BEATS && to_beat == out_beat && (out_beat == 0 || out_valid);
endmodule
