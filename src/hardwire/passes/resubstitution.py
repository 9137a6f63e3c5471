"""Resubstitution: nodes expressed by other nodes of their neighbourhood, by mockturtle, stage by stage."""

from aigverse.algorithms import aig_resubstitution, cleanup_dangling

from ..circuit import STAGES, Circuit
from ..circuit.circuit import FIRST
from ..cost import total_gates
from .aig import from_aig, netlist_to_aig
from .netlist import HEAD, Netlist, from_circuit, kept_nets, to_circuit


def resubstitute(circuit: Circuit) -> Circuit:
    """Resubstitute in the and-inverter graph of each stage, kept where it leaves fewer two-input gates.

    An and-inverter graph counts an exclusive or as three, so its own count is no guide: the graph is turned back into
    gates and those are counted. The nets that another stage reads, outputs and macros' nets keep their function.
    A circuit in which an earlier stage reads a later one is returned as it is.
    """
    old, literal = from_circuit(circuit, share=True)
    stages = [0] * old.first + old.stage
    if any(stages[f] > stage for fanin, stage in zip(old.fanin, old.stage, strict=True) for f in fanin):
        return circuit
    kept = kept_nets(circuit)
    new, place = Netlist(old.first), {net: 2 * net for net in (0, *range(FIRST, old.first))}
    for stage in range(len(STAGES)):
        _add_stage(old, stage, {literal[n] >> 1 for n in kept}, new, place)
    result = to_circuit(new, circuit, {n: place[literal[n] >> 1] ^ (literal[n] & 1) for n in kept})
    return result if total_gates(result) < total_gates(circuit) else circuit


def _add_stage(old: Netlist, stage: int, kept: set[int], new: Netlist, place: dict[int, int]) -> None:
    """Add one stage of ``old``, smaller where possible, to ``new``; ``place`` gains the literals of its roots."""
    nets = [net for net, s in enumerate(old.stage, old.first) if s == stage]
    read_outside = {f for fanin, s in zip(old.fanin, old.stage, strict=True) if s != stage for f in fanin}
    roots = [net for net in nets if net in kept or net in read_outside]
    leaves = sorted({f for net in nets for f in old.fanin[net - old.first]}.difference(nets))
    local = Netlist(FIRST + len(leaves))
    at = {leaf: 2 * (FIRST + i) for i, leaf in enumerate(leaves)}
    for net, table, fanin in old.rows(nets):
        at[net] = local.add(table, [at[f] for f in fanin])
    outputs = [at[net] for net in roots]
    if stage != HEAD:
        local, outputs = _resubstitute_until_stable(local, outputs)
    literal = [0, 0, *[place[leaf] for leaf in leaves], *[0] * len(local.table)]
    for net, table, fanin in local.rows(local.live(outputs)):
        literal[net] = new.add(table, [literal[f] for f in fanin], stage)
    place.update((net, literal[x >> 1] ^ (x & 1)) for net, x in zip(roots, outputs, strict=True))


def _resubstitute_until_stable(netlist: Netlist, roots: list[int]) -> tuple[Netlist, list[int]]:
    """Resubstitute while that leaves fewer gates; the netlist and what became of the literals ``roots``."""
    size = len(netlist.live(roots))
    while size:
        resubstituted = aig_resubstitution(netlist_to_aig(netlist, roots))
        if resubstituted is None:  # only with inplace=True, says its signature
            break
        aig = cleanup_dangling(resubstituted)
        smaller = Netlist(netlist.first)
        literals = from_aig(aig, smaller, range(2 * FIRST, 2 * netlist.first, 2))
        now = len(smaller.live(literals))
        if now >= size:
            break
        netlist, roots, size = smaller, literals, now
    return netlist, roots
