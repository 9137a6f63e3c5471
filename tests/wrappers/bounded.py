"""A sequential circuit out of Verilog, and whether its properties hold: by SAT within a depth, by induction for ever."""

from dataclasses import dataclass
from pathlib import Path

from pysat.solvers import Solver

from hardwire.backends.common import source
from hardwire.flows.yosys import run_yosys

PROPERTIES = Path(__file__).parent / "properties.v"
MODULES = ("stream_wrapper", "axis_wrapper", "axis_input", "axis_output", "result_queue", "flagged_counter")


def verilog(faults=()):
    """Sources of the wrappers by file; each fault (file, old, new) changes one place."""
    texts = {name: source(f"verilog/wrappers/{name}.v") for name in MODULES}
    for name, old, new in faults:
        assert texts[name].count(old) == 1, f"{name}: {old!r} stands there {texts[name].count(old)} times"
        texts[name] = texts[name].replace(old, new)
    return texts


def aiger(texts, top, parameters, folder):
    """Read ``top`` as a machine in which every register begins at 0 or at an input's value."""
    for name, text in texts.items():
        (folder / f"{name}.v").write_text(text)
    (folder / "properties.v").write_text(PROPERTIES.read_text())
    x = parameters["X"]
    joined = {name.replace(".", "_"): rf"\dut.queue.{name}"
              for name in ("write_at", "read_at", "flight", "credits.count", "results.count", "credit")}
    joined |= {f"places[{x * k + x - 1}:{x * k}]": rf"\dut.queue.places[{k}]" for k in range(1 << parameters["ADDRESS"])}
    if top == "axis_properties":
        joined |= {"dropping": r"\dut.from_stream.dropping", "in_beat": r"\dut.from_stream.beat",
                   "in_last": r"\dut.from_stream.last",
                   "to_beat": r"\dut.to_stream.several.beat" if x > parameters["W"] else "1'0"}
    values = " ".join(f"-chparam {name} {value}" for name, value in parameters.items())
    commands = ["read_verilog properties.v", *(f"read_verilog {name}.v" for name in texts),
                f"hierarchy -check -top {top} {values}", "proc", "flatten", "memory -nomap", "memory_map", f"cd {top}",
                *(f"connect -set {wire} {register}" for wire, register in joined.items()), "cd ..", "opt -full", "techmap", "opt",
                "async2sync", "dffunmap", "simplemap", "setundef -anyseq", "opt", "dffunmap", "simplemap", "aigmap", "opt_clean",
                "write_aiger -ascii -zinit -symbols machine.aag"]
    run_yosys(commands, folder, produces=["machine.aag"], timeout=120)
    return Machine.read((folder / "machine.aag").read_text())


@dataclass
class Machine:
    """An and-inverter graph with registers: literals as in AIGER, registers as {literal: next literal}, gates in order."""

    inputs: list[int]
    registers: dict[int, int]
    outputs: list[tuple[str, int]]
    gates: list[tuple[int, int, int]]

    @classmethod
    def read(cls, text):
        lines = text.splitlines()
        _, i, n, o, a = (int(field) for field in lines[0].split()[1:6])
        rows = [[int(field) for field in line.split()] for line in lines[1 : 1 + i + n + o + a]]
        assert all(len(row) == 2 for row in rows[i : i + n]), "a register does not begin at 0"
        names = dict(line.split()[:2] for line in lines[1 + len(rows) :] if line[0] == "o")
        outputs = [(names[f"o{k}"].partition("[")[0], row[0]) for k, row in enumerate(rows[i + n : i + n + o])]
        return cls([row[0] for row in rows[:i]], {row[0]: row[1] for row in rows[i : i + n]}, outputs,
                   [tuple(row) for row in rows[i + n + o :]])


class Unrolled:
    """Frames of a machine from its first state on, as clauses; equal gates are one variable."""

    def __init__(self, machine, *, free=False):
        self.machine, self.solver = machine, Solver("cadical153")
        self.known, self.variables = {}, 1
        self.solver.add_clause([-1])  # variable 1 is false
        self.state = {register: self._new() if free else 1 for register in machine.registers}

    def frame(self):
        """One clock more; returns the literals of its outputs by name."""
        value = {0: 1, **{x: self._new() for x in self.machine.inputs}, **self.state}

        def of(literal):
            return -value[literal ^ 1] if literal & 1 else value[literal]

        for gate, a, b in self.machine.gates:
            value[gate] = self._and(of(a), of(b))
        self.state = {register: of(after) for register, after in self.machine.registers.items()}
        words = {}
        for name, output in self.machine.outputs:
            words.setdefault(name, []).append(of(output))
        return words

    def any(self, literals):
        """A literal that is true where one of ``literals`` is."""
        either = self._new()
        self.solver.add_clause([-either, *literals])
        return either

    def _new(self):
        self.variables += 1
        return self.variables

    def _and(self, a, b):
        a, b = sorted((a, b))
        if 1 in (a, b) or a == -b:
            return 1
        if a == b or b == -1:
            return a
        if a == -1:
            return b
        if (a, b) not in self.known:
            c = self.known[a, b] = self._new()
            for clause in ([-c, a], [-c, b], [c, -a, -b]):
                self.solver.add_clause(clause)
        return self.known[a, b]


def first_failure(machine, depth):
    """The clock and the properties ``bad`` that can be 1 then, or None where none can within ``depth`` clocks."""
    unrolled = Unrolled(machine)
    with unrolled.solver as solver:
        for clock in range(depth):
            bad = unrolled.frame()["bad"]
            if solver.solve([unrolled.any(bad)]):
                return clock, [k for k, literal in enumerate(bad) if solver.get_model()[abs(literal) - 1] == literal]
    return None


def proved(machine):
    """Whether no ``bad`` can ever be: by induction, in which ``holds`` is true after the first clock and stays so."""
    first, step = Unrolled(machine), Unrolled(machine, free=True)
    with first.solver as solver:
        first.frame()
        after = first.frame()
        if solver.solve([first.any([-after["started"][0], -after["holds"][0], *after["bad"]])]):
            return False
    with step.solver as solver:
        now, after = step.frame(), step.frame()
        given = [now["started"][0], now["holds"][0], *(-literal for literal in now["bad"])]
        return not solver.solve([*given, step.any([-after["started"][0], -after["holds"][0], *after["bad"]])])
