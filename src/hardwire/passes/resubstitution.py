"""Nodes expressed by other nodes of their neighbourhood, by mockturtle, stage by stage."""

from aigverse.algorithms import aig_resubstitution, cleanup_dangling

from ..circuit import STAGES, Circuit
from ..circuit.circuit import FIRST
from ..cost import gate_cost
from .aig import from_aig, netlist_to_aig
from .netlist import Netlist, named_nets, read, write
from .rewriting import HEAD


def resubstitute(circuit: Circuit) -> Circuit:
    """Resubstitution on the and-inverter graph of each stage, kept where it leaves fewer two-input gates.

    An and-inverter graph counts an exclusive or as three, so its own count is no guide: the graph is turned back into
    gates and those are counted. The nets that another stage reads, outputs and macros' nets keep their function.
    A circuit in which an earlier stage reads a later one is returned as it is.
    """
    old, literal = read(circuit, share=True)
    stages = [0] * old.first + old.stage
    if any(stages[f] > stage for fanin, stage in zip(old.fanin, old.stage) for f in fanin):
        return circuit
    named = {literal[n] >> 1 for n in named_nets(circuit)}
    new, place = Netlist(old.first), {net: 2 * net for net in (0, *range(FIRST, old.first))}
    for stage in range(len(STAGES)):
        _stage(old, stage, named, new, place)
    result = write(new, circuit, [place.get(x >> 1, 0) ^ (x & 1) for x in literal])
    smaller = gate_cost(result.table, result.arity).sum() < gate_cost(circuit.table, circuit.arity).sum()
    return result if smaller else circuit


def _stage(old: Netlist, stage: int, named: set[int], new: Netlist, place: dict[int, int]) -> None:
    """Add one stage of ``old``, smaller where that is found, to ``new``; ``place`` gains the literals of its roots."""
    mine = [net for net, s in enumerate(old.stage, old.first) if s == stage]
    read_outside = {f for fanin, s in zip(old.fanin, old.stage) if s != stage for f in fanin}
    roots = [net for net in mine if net in named or net in read_outside]
    leaves = sorted({f for net in mine for f in old.fanin[net - old.first]}.difference(mine))
    local = Netlist(FIRST + len(leaves))
    at = {leaf: 2 * (FIRST + i) for i, leaf in enumerate(leaves)}
    for net, table, fanin in old.rows(mine):
        at[net] = local.add(table, [at[f] for f in fanin])
    outputs = [at[net] for net in roots]
    if stage != HEAD:
        local, outputs = _shrink(local, outputs)
    literal = [0, 0, *[place[leaf] for leaf in leaves], *[0] * len(local.table)]
    for net, table, fanin in local.rows(local.live(outputs)):
        literal[net] = new.add(table, [literal[f] for f in fanin], stage)
    place.update((net, literal[x >> 1] ^ (x & 1)) for net, x in zip(roots, outputs))


def _shrink(netlist: Netlist, roots: list[int]) -> tuple[Netlist, list[int]]:
    """Resubstitute while that leaves fewer gates; the netlist and what became of the literals ``roots``."""
    size = len(netlist.live(roots))
    while size:
        aig = cleanup_dangling(aig_resubstitution(netlist_to_aig(netlist, roots)))
        found = Netlist(netlist.first)
        literals = from_aig(aig, found, range(2 * FIRST, 2 * netlist.first, 2))
        now = len(found.live(literals))
        if now >= size:
            break
        netlist, roots, size = found, literals, now
    return netlist, roots
