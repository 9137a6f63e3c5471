"""Dead-node removal: nodes that nothing needs."""

import numpy as np
from numpy.typing import NDArray

from ..circuit import Circuit, Macro


def remove_dead_nodes(circuit: Circuit) -> Circuit:
    """Keep what outputs need; a macro stays, with all nets it names, where they need a node that it states."""
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
        macros=tuple(Macro(m.kind, _moved(place, m.inputs), _moved(place, m.outputs), m.value) for m in macros),
    )


def _moved(place: NDArray[np.int64], nets: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(place[list(nets)].tolist())


def _needed(circuit: Circuit) -> tuple[NDArray[np.bool_], list[Macro]]:
    """Which nets are needed, and the macros that are kept."""
    first, fanin, arity = circuit.first_node, circuit.fanin.tolist(), circuit.arity.tolist()
    needed = [False] * circuit.n_nets
    kept: set[int] = set()
    stack = circuit.output_nets.tolist()
    while stack:
        while stack:
            net = stack.pop()
            if not needed[net]:
                needed[net] = True
                stack += fanin[net - first][: arity[net - first]] if net >= first else ()
        for i, macro in enumerate(circuit.macros):
            if i not in kept and any(net >= first and needed[net] for net in macro.outputs):
                kept.add(i)
                stack += (*macro.inputs, *macro.outputs)
    return np.array(needed, dtype=bool), [m for i, m in enumerate(circuit.macros) if i in kept]
