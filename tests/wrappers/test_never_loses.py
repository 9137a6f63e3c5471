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
    "no back-pressure": ("result_queue", "!= {1'b1, {ADDRESS{1'b0}}};", "<= {(ADDRESS + 1){1'b1}};"),
    "no credit comes back": ("result_queue", "(accepted ^ read)", "accepted"),
    "one place too many": ("result_queue", "{1'b1, {ADDRESS{1'b0}}};", "{1'b1, {(ADDRESS - 1){1'b0}}, 1'b1};"),
    "one place too few": ("result_queue", "(accepted ^ read) != {1'b1, {ADDRESS{1'b0}}}",
                          "(accepted - read) < {1'b0, {ADDRESS{1'b1}}}"),
    "written beside its place": ("result_queue", "places[written[ADDRESS-1:0]]", "places[~written[ADDRESS-1:0]]"),
    "read beside its place": ("result_queue", "y = places[read[ADDRESS-1:0]]", "y = places[written[ADDRESS-1:0]]"),
    "read though nobody took it": ("result_queue", "if (out_valid && out_ready)", "if (out_valid)"),
    "taken though there is none": ("result_queue", "if (out_valid && out_ready)", "if (out_ready)"),
    "a clock too early": ("result_queue", "arrive = stage[LATENCY+1]", "arrive = stage[LATENCY]"),
    "valid by the inputs accepted": ("result_queue", "written != read", "accepted != read"),
    "two reads in a row are one": ("result_queue", "read <= read + 1'b1", "read <= written"),
    "reset leaves the flight": ("result_queue", "flight <= {(LATENCY + 1){1'b0}};", ""),
    "reset leaves what is written": ("result_queue", "written <= {(ADDRESS + 1){1'b0}};", ""),
    "ready in reset": ("result_queue", "!rst && (accepted", "(accepted"),
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
