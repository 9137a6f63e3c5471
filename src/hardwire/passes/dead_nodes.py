"""Nodes that nothing needs, removed."""

import numpy as np

from ..circuit import Circuit
from ..circuit.circuit import Macro


def sweep(circuit: Circuit) -> Circuit:
    """Keep what the outputs need; a macro is kept, with all nets it names, where they need a node that it states."""
    needed, macros = _needed(circuit)
    keep = needed[circuit.first_node :]
    place = np.arange(circuit.n_nets)
    place[circuit.first_node :] = circuit.first_node + np.cumsum(keep) - 1
    arity = circuit.arity[keep]
    width = max(2, int(arity.max(initial=2)))
    unused = np.arange(width) >= arity[:, None]
    fanin = place[circuit.fanin[keep, :width]]
    fanin[unused] = 0
    return circuit.with_(
        fanin=fanin.astype(np.int32), table=circuit.table[keep], arity=arity, stage=circuit.stage[keep],
        output_nets=place[circuit.output_nets].astype(np.int32),
        macros=tuple(Macro(m.kind, tuple(place[list(m.inputs)].tolist()), tuple(place[list(m.outputs)].tolist()), m.value)
                     for m in macros),
    )


def _needed(circuit: Circuit) -> tuple[np.ndarray, list[Macro]]:
    """Which nets are needed, bool, and the macros that are kept."""
    first, fanin, arity = circuit.first_node, circuit.fanin.tolist(), circuit.arity.tolist()
    needed = [False] * circuit.n_nets
    kept: set[int] = set()
    fresh = circuit.output_nets.tolist()
    while fresh:
        while fresh:
            net = fresh.pop()
            if not needed[net]:
                needed[net] = True
                fresh += fanin[net - first][: arity[net - first]] if net >= first else ()
        for i, macro in enumerate(circuit.macros):
            if i not in kept and any(net >= first and needed[net] for net in macro.outputs):
                kept.add(i)
                fresh += (*macro.inputs, *macro.outputs)
    return np.array(needed, dtype=bool), [m for i, m in enumerate(circuit.macros) if i in kept]
