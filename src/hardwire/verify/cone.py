"""Literals of a graph as a circuit: what every reader of emitted text ends with."""

import numpy as np

from ..circuit import Circuit
from ..circuit.aig import Aig
from ..circuit.formats.aiger import AigerFile, aig_circuit
from ..circuit.formats.words import Interface


def cone(aig: Aig, outputs: list[int], like: Circuit) -> Circuit:
    """The cone of the output literals as a circuit with the words of ``like``."""
    first, left, right = 1 + aig.n_inputs, aig.left, aig.right
    needed = bytearray(aig.n_variables)
    for x in outputs:
        needed[x >> 1] = 1
    for v in range(aig.n_variables - 1, first - 1, -1):
        if needed[v]:
            needed[left[v - first] >> 1] = needed[right[v - first] >> 1] = 1
    kept = np.flatnonzero(np.frombuffer(needed, dtype=np.uint8)[first:])
    place = np.arange(aig.n_variables)
    place[first + kept] = first + np.arange(len(kept))
    fanin = np.array([left, right], dtype=np.int64).T.reshape(-1, 2)[kept]
    fanin, ends = (2 * place[x >> 1] | x & 1 for x in (fanin, np.array(outputs, dtype=np.int64)))
    words = Interface(like.name, like.inputs, like.outputs, like.labels)
    return aig_circuit(AigerFile(aig.n_inputs, fanin, ends), words)
