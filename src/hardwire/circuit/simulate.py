"""The slow interpreter that is the definition: one node after the other, straight from its truth table."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.bits import Codes, bits_to_codes, codes_to_bits
from .circuit import FIRST, TRUE, Circuit


def simulate_bits(
    circuit: Circuit, bits: NDArray[np.bool_], nets: Sequence[int] | NDArray[np.integer] | None = None
) -> NDArray[np.bool_]:
    """Bits ``(samples, n_input_bits)`` to bits of ``nets`` (by default the outputs), ``(samples, len(nets))``."""
    value = np.zeros((circuit.n_nets, bits.shape[0]), dtype=bool)
    value[TRUE] = True
    value[FIRST : circuit.first_node] = np.asarray(bits, dtype=bool).T
    rows = zip(circuit.fanin.tolist(), circuit.table.tolist(), circuit.arity.tolist())
    for net, (fanin, table, k) in enumerate(rows, circuit.first_node):
        address = sum(value[f].astype(np.uint8) << i for i, f in enumerate(fanin[:k]))
        truth = np.array([table >> m & 1 for m in range(1 << k)], dtype=bool)
        value[net] = truth[address]
    return value[circuit.output_nets if nets is None else np.asarray(nets)].T.copy()


def simulate(circuit: Circuit, x: ArrayLike) -> Codes:
    """Codes or physical values ``(samples, input words)`` to codes ``(samples, output words)``."""
    bits = codes_to_bits(circuit.codes(x), circuit.input_widths)
    return bits_to_codes(simulate_bits(circuit, bits), circuit.output_widths)
