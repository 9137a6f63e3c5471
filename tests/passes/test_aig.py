import numpy as np
import pytest
from aigverse.algorithms import equivalence_checking
from helpers import sample_bits

from hardwire.circuit.circuit import FIRST
from hardwire.circuit.simulate import simulate_bits
from hardwire.core.errors import InputError
from hardwire.core.gates import TABLE
from hardwire.passes.aig import from_aig, netlist_to_aig, to_aig
from hardwire.passes.netlist import Netlist, from_circuit, to_circuit


def test_graph_and_back_is_the_same_function(circuit):
    aig = to_aig(circuit)
    netlist = Netlist(circuit.first_node)
    ends = from_aig(aig, netlist, range(2 * FIRST, 2 * circuit.first_node, 2))
    literal = [0] * circuit.n_nets
    bare = circuit.with_(macros=(), output_nets=np.unique(circuit.output_nets))
    ends = dict(zip(circuit.output_nets.tolist(), ends))
    for net, x in ends.items():
        literal[net] = x
    back = to_circuit(netlist, circuit.with_(macros=()), literal)
    bits = sample_bits(np.random.default_rng(0), circuit)
    assert np.array_equal(simulate_bits(circuit, bits), simulate_bits(back, bits))
    assert len(bare.output_nets) == len(ends)
    assert equivalence_checking(aig, to_aig(back)) is True


def test_one_output_for_each_requested_net(circuit):
    roots = [1, 2, circuit.n_nets - 1, 0]
    aig = to_aig(circuit, roots)
    assert (aig.num_pis, aig.num_pos) == (circuit.n_input_bits, 4)


def test_exclusive_or_comes_back_as_one_gate():
    netlist = Netlist(FIRST + 2)
    x = netlist.add(TABLE["XNOR"], (4, 6))
    back = Netlist(FIRST + 2)
    (y,) = from_aig(netlist_to_aig(netlist, [x]), back, (4, 6))
    assert (back.live([y]), back.table[-1], y & 1) == ([y >> 1], TABLE["XOR"], 1)


def test_a_net_that_is_not_there_is_named(circuit):
    with pytest.raises(InputError, match="roots"):
        to_aig(circuit, [circuit.n_nets])
    with pytest.raises(InputError, match="primary inputs"):
        from_aig(to_aig(circuit), Netlist(FIRST), ())


def test_polarity_of_a_literal_reaches_the_graph(circuit):
    netlist, literal = from_circuit(circuit, share=True)
    roots = [literal[n] for n in circuit.output_nets]
    assert equivalence_checking(netlist_to_aig(netlist, roots), to_aig(circuit)) is True
    assert equivalence_checking(netlist_to_aig(netlist, [roots[0] ^ 1, *roots[1:]]), to_aig(circuit)) is False

