"""A circuit's price in look-up tables: our own cover as LUT instances, which Yosys keeps, counts and writes back.

Yosys reads instances of the primitives ``LUT1`` to ``LUT6`` of its own Xilinx library, whose insides it does not look
at. Nothing is mapped or optimised again: ``abc`` would remap a cover and make it larger.
"""

import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from numpy.typing import ArrayLike

from ..circuit import STAGES, Circuit
from ..circuit.formats.blif import cover as products
from ..core.errors import ToolError
from ..core.verdict import Verdict
from ..passes import eliminate, map_to_luts
from .netlist import TOP, Ports, accuracy_of, check_netlist, module_text, needed, read_netlist, sample_codes
from .yosys import read_statistics, run_yosys, statistics, version_of

#: Yosys commands for ``top.v``, all of them: what is read is checked, counted and written.
COMMANDS = ["read_verilog -lib +/xilinx/cells_sim.v", "read_verilog top.v", f"hierarchy -check -top {TOP}", "opt_clean",
            "check -assert", *statistics("luts.json"), "write_blif -param -cname luts.blif"]
#: Covers that are tried, by name; macros are left out, since the count is of tables alone.
COVERS: dict[str, Callable[[Circuit], Circuit]] = {
    "own tables": lambda circuit: eliminate(circuit.with_(macros=())),
    "technology mapping": lambda circuit: eliminate(map_to_luts(circuit).with_(macros=())),
}
_KIND = re.compile(r"LUT([1-6])")
_INSTANCE = re.compile(r"^\.subckt (\S+)((?: \S+=\S+)*)\n((?:\.(?:cname|param|attr) .*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class LutScore:
    """A circuit as look-up tables of up to six inputs.

    Attributes
    ----------
    luts
        How many, as Yosys counts them; an inverter that no table could take in is one.
    sizes
        How many of each kind, ``LUT1`` to ``LUT6``.
    stages
        How many of each stage, by the names of the instances in the netlist that Yosys wrote.
    depth
        Tables on the longest path.
    method
        The cover that was taken, a key of ``alternatives``.
    accuracy
        Share of test samples that the netlist classifies right; None without samples and classes.
    version
        Of Yosys.
    seconds
        Wall time.
    verified
        How the netlist that Yosys wrote was compared with the circuit.
    alternatives
        Tables of each cover that was tried, by our own count.
    """

    luts: int
    sizes: dict[str, int]
    stages: dict[str, int]
    depth: int
    method: str
    accuracy: float | None
    version: str
    seconds: float
    verified: Verdict
    alternatives: dict[str, int]


def lut_score(circuit: Circuit, x_test: ArrayLike | None = None, y_test: ArrayLike | None = None, *,
              timeout: float = 600, proof_timeout: float = 120) -> LutScore:
    """Cover a circuit by look-up tables and have Yosys count them.

    Parameters
    ----------
    circuit
        Any combinational circuit. Its own tables are one cover, technology mapping gives the other, and node
        elimination follows both; the one of fewer tables is taken.
    x_test, y_test
        Test samples, codes or physical values (samples, words), and their classes (samples,). The netlist is simulated
        on all samples; without samples it is proved equal.
    timeout, proof_timeout
        Seconds for Yosys and for the proof; no proof for 0.

    Raises
    ------
    MissingToolError
        Without ``pyosys``.
    ToolError
        Where Yosys wrote no netlist, its count differs from the instances, or the netlist differs from the circuit.
    """
    start = time.perf_counter()
    codes = sample_codes(circuit, x_test, y_test)
    covers = {method: make(circuit) for method, make in COVERS.items()}
    alternatives = {method: sum(_live_stages(cover).values()) for method, cover in covers.items()}
    method = min(alternatives, key=lambda name: alternatives[name])
    cover, ports = covers[method], Ports(circuit)
    with tempfile.TemporaryDirectory(prefix="hardwire-") as name:
        folder = Path(name)
        (folder / "top.v").write_text(lut_verilog(cover, ports), encoding="utf-8")
        run_yosys(COMMANDS, folder, timeout=timeout, produces=["luts.json", "luts.blif"])
        sizes = lut_counts(folder / "luts.json")
        stages, plain = read_instances((folder / "luts.blif").read_text(encoding="utf-8"))
        (folder / "plain.blif").write_text(plain, encoding="utf-8")
        netlist = read_netlist(folder / "plain.blif", circuit, ports)
        version = version_of(folder)
    if not sum(sizes.values()) == sum(stages.values()) == alternatives[method]:
        raise ToolError(f"{alternatives[method]} tables were written, Yosys counts {sum(sizes.values())} and wrote "
                        f"{sum(stages.values())} back; install another version of pyosys")
    verdict = check_netlist(circuit, netlist, codes, timeout=proof_timeout)
    accuracy = accuracy_of(netlist, codes, y_test)
    return LutScore(sum(sizes.values()), sizes, stages, cover.depth, method, accuracy, version,
                    time.perf_counter() - start, verdict, alternatives)


def stage_tables(circuit: Circuit) -> dict[str, int]:
    """How many tables of up to six inputs each stage takes, in the cover of fewer tables, by our own count."""
    stages = min((_live_stages(make(circuit)) for make in COVERS.values()), key=lambda counts: counts.total())
    return {stage: stages[stage] for stage in STAGES}


def _live_stages(cover: Circuit) -> Counter[str]:
    """How many tables each stage of a cover has; constants and wires are none."""
    live = needed(cover)
    stages = (STAGES[stage] for net, stage in enumerate(cover.stage.tolist(), cover.first_node) if net in live)
    return Counter(stages)


def lut_verilog(cover: Circuit, ports: Ports) -> str:
    """Module ``top``: an instance ``LUTk`` for each table that an output needs, named by its stage and net.

    Every operand of a table must matter, as those of ``COVERS`` do.
    """
    name = ["1'b0", "1'b1", *ports.bits()[0], *(f"n{net}" for net in range(cover.first_node, cover.n_nets))]
    live = needed(cover)
    lines = [f"wire n{net};" for net in sorted(live) if net >= cover.first_node]
    columns = (column.tolist() for column in (cover.fanin, cover.table, cover.arity, cover.stage))
    for net, (fanin, table, k, stage) in enumerate(zip(*columns), cover.first_node):
        if net in live:
            pins = [f".I{i}({name[f]})" for i, f in enumerate(fanin[:k])] + [f".O({name[net]})"]
            lines.append(f"LUT{k} #(.INIT({1 << k}'h{table:x})) {STAGES[stage]}_{net} ({', '.join(pins)});")
    return module_text(cover, ports, name, lines)


def lut_counts(path: str | Path) -> dict[str, int]:
    """The look-up tables of each kind in Yosys's statistics.

    Raises
    ------
    ToolError
        Where other cells are among them.
    """
    cells = {kind: int(count) for kind, count in read_statistics(path).get("num_cells_by_type", {}).items()}
    strange = sorted(kind for kind in cells if not _KIND.fullmatch(kind))
    if strange:
        raise ToolError(f"the netlist has {cells[strange[0]]} cells {strange[0]!r}, which are no look-up tables; "
                        f"install another version of pyosys")
    return dict(sorted(cells.items()))


def read_instances(text: str) -> tuple[dict[str, int], str]:
    """BLIF that Yosys wrote with instances ``LUTk``: how many there are of each stage, and the same with plain tables.

    Raises
    ------
    ToolError
        Where an instance is no look-up table, or its table or name cannot be read.
    """
    stages: dict[str, int] = dict.fromkeys(STAGES, 0)

    def plain(match: re.Match[str]) -> str:
        kind, pins, notes = match.groups()
        size = _KIND.fullmatch(kind)
        init = re.search(r"^\.param INIT ([01]+)$", notes, re.MULTILINE)
        stage = re.search(rf"^\.cname ({'|'.join(STAGES)})_\d+$", notes, re.MULTILINE)
        net = dict(pin.split("=", 1) for pin in pins.split())
        k = int(size[1]) if size else 0
        inputs = [f"I{i}" for i in range(k)]
        if not (size and init and stage and len(init[1]) == 1 << k and net.keys() == {*inputs, "O"}):
            raise ToolError(f"the netlist has an instance that is no look-up table of ours: {match[0].strip()!r}; "
                            f"install another version of pyosys")
        stages[stage[1]] += 1
        rows = "".join(f"{row} 1\n" for row in products(int(init[1], 2), k))
        return " ".join([".names", *(net[pin] for pin in inputs), net["O"]]) + "\n" + rows

    tables = _INSTANCE.sub(plain, re.sub(r"\\\n", " ", text))
    return stages, tables
