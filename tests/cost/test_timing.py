"""Static timing: by hand, and against an implementation that follows every path."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from hardwire.core.errors import InputError
from hardwire.cost.timing import Conditions, net_loads, node_delays, static_timing

PAIRS = {"positive_unate": [(0, 0), (1, 1)], "negative_unate": [(1, 0), (0, 1)],
         "non_unate": [(0, 0), (0, 1), (1, 0), (1, 1)]}


def value(surface, slew, load):
    """A table by another interpolation."""
    if len(surface.slews) == 1 or len(surface.loads) == 1:
        return surface(slew, load)
    grid = RegularGridInterpolator((surface.slews, surface.loads), np.array(surface.values), bounds_error=False, fill_value=None)
    return float(grid([[slew, load]])[0])


def reference(netlist, model, conditions):
    """Latest arrivals ``{(net, edge): (arrival, slew)}``, net by net from the definition."""
    circuit, load, at = netlist.circuit, {}, {}
    for instance in netlist.instances:
        for pin, net in zip(instance.cell.inputs, instance.inputs):
            for edge in (0, 1):
                load[net, edge] = load.get((net, edge), 0) + model.cells[instance.cell.name].capacitance[pin][edge]
                load[net, edge] += conditions.wire_load
    for net in circuit.output_nets.tolist():
        for edge in (0, 1):
            load[net, edge] = load.get((net, edge), 0) + conditions.output_load + conditions.wire_load
    for net in range(2, circuit.first_node):
        at[net, 0] = at[net, 1] = 0.0, conditions.input_slew
    for instance in netlist.instances:
        for pin, net in zip(instance.cell.outputs, instance.outputs):
            found = []
            for arc in model.cells[instance.cell.name].arcs[pin]:
                source = instance.inputs[instance.cell.inputs.index(arc.related)]
                for before, after in PAIRS[arc.sense]:
                    if (source, before) in at:
                        t, slew = at[source, before]
                        edge, c = (arc.rise, arc.fall)[after], load.get((net, after), 0)
                        found.append((after, t + value(edge.delay, slew, c), value(edge.slew, slew, c)))
            for after in (0, 1):
                if any(a == after for a, _, _ in found):
                    at[net, after] = max(t for a, t, _ in found if a == after), max(s for a, _, s in found if a == after)
    return at, load


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("conditions", [Conditions(), Conditions(1e-10, 3e-14, 2e-15)])
def test_against_the_definition(random_netlist, timed, seed, conditions):
    netlist, model = random_netlist(seed), timed[1]
    timing = static_timing(netlist, model, conditions)
    at, load = reference(netlist, model, conditions)
    for (net, edge), (arrival, slew) in at.items():
        assert timing.arrival[net, edge] == pytest.approx(arrival) and timing.slew[net, edge] == pytest.approx(slew)
    for (net, edge), farads in load.items():
        assert timing.load[net, edge] == pytest.approx(farads)
    assert timing.delay == pytest.approx(max(at[net, edge][0] for net in netlist.circuit.output_nets.tolist() for edge in (0, 1)))


def test_the_path_sums_to_the_delay(random_netlist, timed):
    timing = static_timing(random_netlist(4), timed[1])
    assert sum(step.delay for step in timing.path) == pytest.approx(timing.delay) == timing.path[-1].arrival
    assert timing.path[0].cell == "" and timing.path[0].to_pin in "abcde"
    for before, after in zip(timing.path, timing.path[1:]):
        assert after.arrival == pytest.approx(before.arrival + after.delay)


def test_two_gates_by_hand(netlist, timed):
    built, model = netlist("x y", ["NAND A=x B=y Y=n", "INV A=n Y=z"], "z"), timed[1]
    conditions = Conditions(2e-11, 1e-14)
    nand, inv = model.cells["NAND"], model.cells["INV"]
    ends = []
    for arc in nand.arcs["Y"]:  # the output of the inverter rises after the NAND falls
        for first, second, load in ((arc.fall, inv.arcs["Y"][0].rise, inv.capacitance["A"][1]),
                                    (arc.rise, inv.arcs["Y"][0].fall, inv.capacitance["A"][0])):
            edge = "fall" if first is arc.fall else "rise"
            slew = max(getattr(a, edge).slew(2e-11, load) for a in nand.arcs["Y"])
            ends.append(first.delay(2e-11, load) + second.delay(slew, 1e-14))
    timing = static_timing(built, model, conditions)
    assert timing.delay == pytest.approx(max(ends)) and [step.cell for step in timing.path] == ["", "NAND", "INV"]
    assert net_loads(built, model, conditions)[built.instances[0].first] == pytest.approx(inv.capacitance["A"])
    assert node_delays(built, model, timing)[1] == pytest.approx(np.mean([
        inv.arcs["Y"][0].rise.delay(timing.slew[4, 1], 1e-14), inv.arcs["Y"][0].fall.delay(timing.slew[4, 0], 1e-14)]))


def test_constants_never_arrive(netlist, timed):
    timing = static_timing(netlist("x", ["NAND A=one B=zero Y=n", "NAND A=n B=x Y=z"], "z"), timed[1])
    assert len(timing.path) == 2 and timing.path[0].to_pin == "x" and np.isneginf(timing.arrival[3]).all()


def test_outputs_that_are_inputs(netlist, timed):
    timing = static_timing(netlist("x", [], "x one"), timed[1])
    assert timing.delay == 0.0 and [step.to_pin for step in timing.path] == ["x"]


def test_a_cell_without_tables(netlist, timed):
    model = timed[1]
    bare = model.cells["INV"].__class__("INV", model.cells["INV"].capacitance, {}, {}, 0.0, ())
    with pytest.raises(InputError, match="no delay table of pin 'Y'"):
        static_timing(netlist("x", ["INV A=x Y=z"], "z"), model.__class__("timed", 1.2, {"INV": bare}))
