"""Cut rewriting: cuts of four leaves replaced by shortest chains of two-input gates."""

import numpy as np

from ..circuit import Circuit
from ..cost import total_gates
from .netlist import from_circuit, kept_nets, to_circuit, two_input_netlist
from .xag import Xag, from_xag, to_xag


def rewrite(circuit: Circuit) -> Circuit:
    """Rewrite while gates are saved; cuts end at the border of a stage, so that each keeps its own gates.

    Nets that another stage reads, outputs and macros' nets keep their function. Tables of more than two inputs are
    taken apart first. The circuit comes back as it is where nothing is gained.
    """
    netlist, literal = from_circuit(circuit, share=True)
    kept = sorted(kept_nets(circuit))
    xag = to_xag(*two_input_netlist(netlist, [literal[n] for n in kept]))
    netlist, roots = from_xag(rewrite_until_stable(xag))
    result = to_circuit(netlist, circuit, dict(zip(kept, roots, strict=True)))
    return result if total_gates(result) < total_gates(circuit) else circuit


def rewrite_until_stable(xag: Xag) -> Xag:
    """Visit every node, again and again until a visit saves nothing."""
    from .kernels.chains import optimal_chains  # Numba stays out of whoever does not rewrite
    from .kernels.cut_rewriting import network, rewrite_nodes

    while True:
        read = np.concatenate([xag.a[xag.first :], xag.b[xag.first :], xag.roots]) >> 1
        s = network(xag, np.bincount(read, minlength=len(xag.kind)), *optimal_chains())
        if not rewrite_nodes(s, xag.first, len(xag.kind)):
            return xag
        order = s.order[: s.count[1]]
        order = np.concatenate([np.arange(xag.first), order[s.alive[order]]])
        place = np.zeros(len(s.kind), dtype=np.int64)
        place[order] = 2 * np.arange(len(order))
        a, b = place[s.a[order] >> 1] ^ (s.a[order] & 1), place[s.b[order] >> 1] ^ (s.b[order] & 1)
        ends = s.substitute[xag.roots >> 1] ^ (xag.roots & 1)
        xag = Xag(xag.first, s.kind[order].astype(np.int64), np.minimum(a, b), np.maximum(a, b),
                  s.stage[order].astype(np.int64), place[ends >> 1] ^ (ends & 1))
