"""Names of nets that tell what they belong to: ``head7_c3_n9000`` is net 9000, level 7 of the head, class 3's count."""

from ...circuit import FIRST, STAGES, TRUE, Circuit

#: A net that nothing reads, and one that several classes or none read.
UNREAD, SHARED = -2, -1


class NetNames:
    """Stage, level and class of every net of a circuit; time is linear in its nodes.

    Attributes
    ----------
    stage
        Index into ``STAGES`` of each net, -1 for constants and inputs.
    level
        Nodes on the longest path to each net that lie in its own stage.
    owner
        The class whose score alone a net goes into, else negative. Scores are the words that an arg-max compares.
    """

    def __init__(self, circuit: Circuit) -> None:
        first = circuit.first_node
        self.stage: list[int] = [-1] * first + circuit.stage.tolist()
        self.level = [0] * first
        fanin = [row[:k] for row, k in zip(circuit.fanin.tolist(), circuit.arity.tolist())]
        for nets, stage in zip(fanin, self.stage[first:]):
            self.level.append(1 + max([self.level[net] for net in nets if self.stage[net] == stage], default=0))
        self.owner = _owners(circuit, fanin)

    def place(self, net: int) -> str:
        """Where a net belongs, its level aside: ``input``, ``network``, ``head_c3``."""
        if self.stage[net] < 0:
            return "input"
        return STAGES[self.stage[net]] + (f"_c{self.owner[net]}" if self.owner[net] >= 0 else "")

    def name(self, net: int, kind: str = "n") -> str:
        """The name of a net, or of a word (``w``) or an instance (``m``) whose first output it is."""
        owner = f"c{self.owner[net]}_" if self.owner[net] >= 0 else ""
        return f"{STAGES[self.stage[net]]}{self.level[net]}_{owner}{kind}{net}"


def _owners(circuit: Circuit, fanin: list[list[int]]) -> list[int]:
    """For each net the one class that reads it, from the scores backwards."""
    owner = [UNREAD] * circuit.n_nets
    argmax = next((macro for macro in reversed(circuit.macros) if macro.kind == "argmax"), None)
    if argmax is None:
        return owner
    width = len(argmax.inputs) // argmax.value
    scores: dict[int, int] = {}
    for place, net in enumerate(argmax.inputs):
        if net > TRUE:
            scores[net] = place // width if scores.get(net, place // width) == place // width else SHARED
    for net in circuit.output_nets.tolist():
        owner[net] = SHARED
    for net in range(circuit.n_nets - 1, FIRST - 1, -1):
        owner[net] = scores.get(net, owner[net])
        if net >= circuit.first_node and owner[net] != UNREAD:
            for operand in fanin[net - circuit.first_node]:
                owner[operand] = owner[net] if owner[operand] in (UNREAD, owner[net]) else SHARED
    return owner
