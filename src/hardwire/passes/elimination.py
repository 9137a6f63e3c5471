"""Node elimination: tables that go into the tables that read them."""

from ..circuit import Circuit
from ..core.errors import InputError
from ..core.truth_tables import compose, projection, shrink
from .netlist import Netlist, from_circuit, kept_nets, to_circuit

#: Readers that a node may have, one round after the other; a node of one reader is eliminated first.
READERS = (1, 1 << 30)


def eliminate(circuit: Circuit, *, k: int = 6) -> Circuit:
    """Eliminate tables whose readers take them in and still have at most ``k`` operands (2 to 6).

    Raises
    ------
    InputError
        For another ``k``.

    Notes
    -----
    The number of tables never grows; that of two-input gates may. A table that took another in stays in its own
    stage. Outputs and macros' nets remain nets.

    References
    ----------
    Brayton et al., "MIS: a multiple-level logic optimization system", 1987 (``eliminate``).
    """
    if k not in range(2, 7):
        raise InputError(f"tables of {k} operands cannot be eliminated to; choose k from 2 to 6")
    netlist, literal = from_circuit(circuit, share=True)
    ends = {literal[n] >> 1 for n in kept_nets(circuit)}
    tables = _Tables(netlist, ends)
    for most in READERS:
        while sum([tables.eliminate(net, k, most) for net in sorted(tables.rows.keys() - ends)]):
            pass
    result = Netlist(netlist.first)
    place = {net: 2 * net for net in range(netlist.first)}
    for net in sorted(tables.rows):
        table, fanin = tables.rows[net]
        place[net] = result.add(table, [place[f] for f in fanin], netlist.stage[net - netlist.first])
    return to_circuit(result, circuit, {n: place[literal[n] >> 1] ^ (literal[n] & 1) for n in kept_nets(circuit)})


class _Tables:
    """Tables by net, ``rows[net] = (table, fanin)``, and the tables that read each net."""

    def __init__(self, netlist: Netlist, ends: set[int]) -> None:
        live = netlist.live(2 * net for net in ends)
        self.rows = {net: (table, fanin) for net, table, fanin in netlist.rows(live)}
        self.readers: dict[int, set[int]] = {}
        for net, (_, fanin) in self.rows.items():
            for f in fanin:
                self.readers.setdefault(f, set()).add(net)

    def eliminate(self, net: int, k: int, most: int) -> bool:
        """Eliminate ``net`` where it has at most ``most`` readers and each of them can take it in; whether it went."""
        table, fanin = self.rows[net]
        readers = sorted(self.readers.get(net, ()))
        if len(readers) > most or any(len({*fanin, *self.rows[r][1]}) > k + 1 for r in readers):
            return False
        for reader in readers:
            self._take_in(reader, net, table, fanin)
        for f in fanin:
            self.readers[f].discard(net)
        del self.rows[net]
        return True

    def _take_in(self, reader: int, net: int, table: int, fanin: tuple[int, ...]) -> None:
        outer, operands = self.rows[reader]
        leaves = sorted({*fanin, *operands} - {net})
        value = {leaf: projection(i, len(leaves)) for i, leaf in enumerate(leaves)}
        value[net] = compose(table, [value[f] for f in fanin], len(leaves))
        whole, kept = shrink(compose(outer, [value[f] for f in operands], len(leaves)), len(leaves))
        for f in {*operands, *leaves}:
            self.readers[f].discard(reader)
        for i in kept:
            self.readers[leaves[i]].add(reader)
        self.rows[reader] = whole, tuple([leaves[i] for i in kept])
