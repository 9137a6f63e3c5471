"""Where the registers of a pipelined core stand."""

from dataclasses import dataclass

import numpy as np

from ...circuit import FIRST, TRUE, Circuit, Word
from ...circuit.schedule import Node, schedule
from ...circuit.structure import MAX_ARITY
from ...core.errors import InputError


@dataclass(frozen=True)
class Pipeline:
    """The gates and registers of a core.

    Attributes
    ----------
    logic
        The gates of each stage.
    registers
        ``registers[s]`` are the nets that the register in front of stage ``s`` holds, the last ones those of the
        outputs; ``registers[0]`` is empty where inputs are not registered.
    latency
        Clocks from the inputs to the outputs.
    """

    logic: list[list[Node]]
    registers: list[list[int]]
    latency: int

    @property
    def flip_flops(self) -> int:
        """How many there are."""
        return sum(map(len, self.registers))


def pipelined(circuit: Circuit, levels: int, *, register_inputs: bool = False) -> Pipeline:
    """Registers after every ``levels`` levels of logic and at the outputs, every path as many registers long.

    Stage ``s`` holds levels ``s * levels + 1 .. (s + 1) * levels``. A net is registered until the last stage that
    reads it.

    Raises
    ------
    InputError
        Where ``levels`` is not a whole number above 0.
    """
    if isinstance(levels, bool) or not isinstance(levels, int) or levels < 1:
        raise InputError(f"pipeline {levels!r} is no number of levels; give 1 or more, or leave it out")
    items = [item for item in schedule(circuit, macros=()) if isinstance(item, Node)]
    level = dict.fromkeys(range(circuit.first_node), 0)
    for node in items:
        level[node.net] = 1 + max((level[net] for net in node.inputs), default=0)
    results = circuit.output_nets.tolist()
    stages = max(1, -(-max(level[net] for net in results) // levels))
    stage = {net: max(0, depth - 1) // levels for net, depth in level.items()}
    last = dict.fromkeys((net for net in results if net > TRUE), stages)
    for node in items:
        for net in node.inputs:
            last[net] = max(last.get(net, 0), stage[node.net])
    registers: list[list[int]] = [[] for _ in range(stages + 1)]
    if register_inputs:
        registers[0] = [net for net in range(FIRST, circuit.first_node) if net in last]
    for net, end in last.items():
        for s in range(stage[net] + 1, end + 1):
            registers[s].append(net)
    logic: list[list[Node]] = [[] for _ in range(stages)]
    for node in items:
        logic[stage[node.net]].append(node)
    return Pipeline(logic, registers, stages + register_inputs)


def cut_at_registers(circuit: Circuit, pipeline: Pipeline) -> Circuit:
    """The logic between the registers: what a register holds is an output, and an input of what reads it.

    A mapper then finds the tables that the pipelined core needs.
    """
    held = sorted({net for nets in pipeline.registers for net in nets if net >= circuit.first_node})
    words = tuple(Word(f"held{k}", 1) for k in range(len(held)))
    place = {net: net for net in range(circuit.first_node)}
    outside = dict(zip(held, range(circuit.first_node, circuit.first_node + len(held))))
    first = circuit.first_node + len(held)
    rows: list[list[int]] = []
    tables, arity, stages = [], [], []
    own_stage = circuit.stage.tolist()
    for nodes in pipeline.logic:
        here = {node.net: first + len(rows) + k for k, node in enumerate(nodes)}
        for node in nodes:
            nets = [here[net] if net in here else outside.get(net, net) for net in node.inputs] or [0]
            rows.append(nets + [0] * (MAX_ARITY - len(nets)))
            tables.append(node.table if node.inputs else 3 * node.table)
            arity.append(len(nets))
            stages.append(own_stage[node.net - circuit.first_node])
        place |= here
    return Circuit(
        name=circuit.name, inputs=circuit.inputs + words,
        fanin=np.array(rows, dtype=np.int32).reshape(-1, MAX_ARITY), table=np.array(tables, dtype=np.uint64),
        arity=np.array(arity, dtype=np.uint8), stage=np.array(stages, dtype=np.uint8), outputs=words,
        output_nets=np.array([place[net] for net in held], dtype=np.int32))
