"""No wrapper loses, repeats or reorders an image: proved for ever by induction on its RTL, and planted faults are found."""

import pytest
from bounded import aiger, first_failure, proved, verilog

from hardwire.flows.yosys import installed

pytestmark = pytest.mark.skipif(not installed(), reason="pyosys is not installed (the extra hardwire[yosys])")

STREAM = ("stream_properties", {"X": 2, "LATENCY": 1, "ADDRESS": 1})
AXIS = ("axis_properties", {"X": 34, "W": 16, "LATENCY": 1, "ADDRESS": 1})


def test_the_stream_is_proved(tmp_path):
    assert proved(aiger(verilog(), *STREAM, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("top, parameters", [
    ("stream_properties", {"X": 1, "LATENCY": 0, "ADDRESS": 2}),
    ("stream_properties", {"X": 3, "LATENCY": 5, "ADDRESS": 3}),
    ("stream_properties", {"X": 2, "LATENCY": 9, "ADDRESS": 2}),
    ("stream_properties", {"X": 1, "LATENCY": 24, "ADDRESS": 5}),
    AXIS,
    ("axis_properties", {"X": 12, "W": 8, "LATENCY": 1, "ADDRESS": 1}),
    ("axis_properties", {"X": 20, "W": 8, "LATENCY": 3, "ADDRESS": 2}),
    ("axis_properties", {"X": 33, "W": 8, "LATENCY": 0, "ADDRESS": 1}),
    ("axis_properties", {"X": 11, "W": 16, "LATENCY": 2, "ADDRESS": 2}),
])
def test_proved(top, parameters, tmp_path):
    machine = aiger(verilog(), top, parameters, tmp_path)
    assert proved(machine)
    assert first_failure(machine, 5) is None


#: What is planted: file, text, what stands there instead.
FAULTS = {
    "no back-pressure": ("result_queue", "ready = credit && !rst", "ready = (credit || !rst) && !rst"),
    "no credit comes back": ("result_queue", ".up(deliver), .down(accept)", ".up(1'b0), .down(accept)"),
    "credit though nothing was delivered": ("result_queue", ".up(deliver), .down(accept)", ".up(out_valid), .down(accept)"),
    "one credit too many": ("result_queue", ".START(1 << ADDRESS)", ".START((1 << ADDRESS) + 1)"),
    "one credit too few": ("result_queue", ".START(1 << ADDRESS)", ".START((1 << ADDRESS) - 1)"),
    "written beside its place": ("result_queue", "places[write_at]", "places[~write_at]"),
    "read beside its place": ("result_queue", "places[read_at]", "places[~read_at]"),
    "read though nobody took it": ("result_queue", "deliver = out_valid && out_ready", "deliver = out_valid"),
    "read though there is none": ("result_queue", "if (deliver)", "if (out_ready)"),
    "a clock too early": ("result_queue", "arrive = stage[LATENCY+1]", "arrive = stage[LATENCY]"),
    "valid before it has arrived": ("result_queue", ".up(arrive), .down(deliver)", ".up(stage[LATENCY]), .down(deliver)"),
    "a place is left out": ("result_queue", "write_at <= write_at + 1'b1", "write_at <= write_at + 2'd2"),
    "reset leaves the flight": ("result_queue", "flight <= {(LATENCY + 1){1'b0}};", ""),
    "reset leaves where to write": ("result_queue", "write_at <= {ADDRESS{1'b0}};", ""),
    "reset leaves the count": ("flagged_counter", "count <= FIRST[B-1:0];", ""),
    "up and down at once lose one": ("flagged_counter", "if (up != down)", "if (up || down)"),
    "above zero though it is the last": ("flagged_counter", "count[B-1:1] != 0 || !count[0]", "count != 0"),
    "zero though it went up": ("flagged_counter", "up || (down", "(up && !down) || (down"),
    "ready in reset": ("result_queue", "ready = credit && !rst", "ready = credit"),
    "taken where it is not ready": ("stream_wrapper", "in_valid && in_ready", "in_valid"),
    "loaded where it waits only": ("stream_wrapper", "if (in_valid)", "if (in_valid && !in_ready)"),
}
AXIS_FAULTS = {
    "a short packet is an image": ("axis_input", "taken && tlast && last && whole", "taken && tlast && whole"),
    "tlast is not read": ("axis_input", "taken && tlast && last && whole", "taken && last && whole"),
    "tkeep is not read": ("axis_input", "taken && tlast && last && whole", "taken && tlast && last"),
    "every byte of the last beat counts": ("axis_input", "last ? &tkeep[BYTES-1:0] : &tkeep", "&tkeep && !last"),
    "a short packet leaves its beats": ("axis_input", "beat <= tlast ? {B{1'b0}} : last ? beat : beat + 1'b1;",
                                       "beat <= last ? {B{1'b0}} : beat + 1'b1;"),
    "the end of a dropped packet is an image": ("axis_input", "(dropping || last || !whole)", "(last || !whole)"),
    "a dropped packet never ends": ("axis_input", "dropping <= !tlast && (", "dropping <= (!tlast || dropping) && ("),
    "a beat counts though it waits": ("axis_input", "if (tvalid && tready) begin", "if (tvalid) begin"),
    "the last beat is one too early": ("axis_input", "BEFORE = BEATS - 2", "BEFORE = BEATS - 3"),
    "reset forgets which beat is last": ("axis_input", "last <= BEATS == 1;", ""),
    "beats change places": ("axis_input", "beat == K[B-1:0]", "beat != K[B-1:0]"),
    "reset in a packet is not seen": ("axis_input", "beat <= {B{1'b0}};\n      dropping", "dropping"),
    "the result goes with its first beat": ("axis_output", "tready && tlast", "tready"),
    "a beat goes though nobody took it": ("axis_output", "else if (tvalid && tready)", "else if (tvalid)"),
    "tlast in every beat": ("axis_output", "assign tlast = beat == LAST[B-1:0]", "assign tlast = 1'b1"),
    "tkeep the other way": ("axis_output", "!tlast || k < BYTES", "tlast || k < BYTES"),
    "reset is the other way": ("axis_wrapper", ".rst(!aresetn)", ".rst(aresetn)"),
}


@pytest.mark.parametrize("fault", ["no back-pressure"])
def test_a_fault_is_found(fault, tmp_path):
    found(FAULTS[fault], STREAM, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_the_queue_are_found(fault, tmp_path):
    found(FAULTS[fault], STREAM, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("fault", AXIS_FAULTS)
def test_faults_of_the_bus_are_found(fault, tmp_path):
    found(AXIS_FAULTS[fault], AXIS, tmp_path)


def found(fault, properties, folder):
    """A property fails within a few clocks after a reset, and the proof fails too."""
    machine = aiger(verilog([fault]), *properties, folder)
    assert first_failure(machine, 12) is not None
    assert not proved(machine)
