"""What a record says of flows through outside tools: tables, clock, latency, area, critical path."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from ..runs.record import STAGES
from .summary import RecordData, four_digits, number, plain, si, whole

#: An entry of ``record["flows"]``.
FlowData: TypeAlias = Mapping[str, Any]


class Hop(NamedTuple):
    """A step of a critical path, in nanoseconds."""

    name: str
    stage: str
    logic: float
    routing: float


def flows(record: RecordData) -> list[FlowData]:
    """The entries, those for programmable devices first."""
    entries = [{"target": name} | dict(entry) for name, entry in (record.get("flows") or {}).items()]
    return sorted(entries, key=lambda entry: (on_cells(entry), plain(entry["target"])))


def on_cells(flow: FlowData) -> bool:
    """Whether the flow ends in standard cells."""
    return flow.get("library") is not None


def name_of(flow: FlowData) -> str:
    """The target and the device or the library."""
    parts = dict.fromkeys(plain(part) for part in (flow["target"], flow.get("device"), flow.get("library")) if part)
    return " ".join(parts)


def figures(record: RecordData) -> list[tuple[str, ...]]:
    """(target, area, clock in MHz, latency, a second, how it was verified, status) of every flow."""
    return [(name_of(flow), area(flow), clock(flow), latency(flow), rate(flow), plain(flow.get("verified") or "–"),
             plain(flow.get("status") or "–")) for flow in flows(record)]


def lines(record: RecordData) -> list[tuple[str, str]]:
    """(target, its figures in a line) of every flow."""
    result = []
    for flow in flows(record):
        parts = [plain(flow.get("status") or ""), area(flow), clock(flow), latency(flow)]
        result.append((name_of(flow), ", ".join(part for part in parts if part not in ("", "–"))))
    return result


def area(flow: FlowData) -> str:
    """Gate equivalents of standard cells, else tables and flip-flops."""
    if number(flow.get("ge")) is not None:
        return f"{flow['ge']:,.0f} GE"
    parts = [(whole(tables(flow)), "tables"), (whole(flow.get("flip_flops")), "flip-flops")]
    return ", ".join(f"{count} {what}" for count, what in parts if count != "–") or "–"


def tables(flow: FlowData) -> float | None:
    """Look-up tables of all stages and the wrapper."""
    counts = [number(count) for count in (flow.get("stages") or {}).values()]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def clock(flow: FlowData) -> str:
    """The clock that was reached and the one that was asked."""
    given = flow.get("clock_mhz") or {}
    reached, asked = number(given.get("reached")), number(given.get("asked"))
    if reached is None:
        return "–"
    return f"{reached:.0f} MHz" + (f" ({asked:.0f} asked)" if asked is not None else "")


def latency(flow: FlowData) -> str:
    """Nanoseconds, and clocks where there are any."""
    given = flow.get("latency") or {}
    ns, cycles = nanoseconds(flow), number(given.get("cycles"))
    text = "–" if ns is None else f"{four_digits(ns)} ns"
    return text + (f" ({cycles:.0f} clocks)" if cycles else "")


def nanoseconds(flow: FlowData) -> float | None:
    """From the inputs to the decision; of a combinational netlist its delay by the most trusted tool that there is."""
    given = number((flow.get("latency") or {}).get("ns"))
    if given is not None:
        return given
    delays = flow.get("delay_ps") or {}
    known = [number(delays.get(tool)) for tool in ("opensta", "own", "abc")]
    return next((ps / 1000 for ps in known if ps is not None), None)


def rate(flow: FlowData) -> str:
    """Samples a second."""
    given = number(flow.get("throughput_per_s"))
    return "–" if given is None else f"{si(given, '').strip()}/s"


def energies(record: RecordData) -> list[tuple[str, str, str]]:
    """(target, model, energy) of every figure in picojoules."""
    return [(name_of(flow), plain(model).replace("_", " "), si(picojoules * 1e-12, "J"))
            for flow in flows(record) for model, value in (flow.get("energy_pj") or {}).items()
            if (picojoules := number(value)) is not None]


def utilisation(flow: FlowData) -> list[tuple[str, str, str, str]]:
    """(kind, cells, of how many, share) for the kinds that are used."""
    capacity = flow.get("capacity") or {}
    rows = []
    for kind, count in (flow.get("cells") or {}).items():
        if count == 0:
            continue
        most = number(capacity.get(kind))
        share = "–" if not most or number(count) is None else f"{100 * count / most:.1f} %"
        rows.append((plain(kind), whole(count), whole(most), share))
    return rows


def stages(flow: FlowData) -> dict[str, int]:
    """Tables by stage, in the order of the data path."""
    given = flow.get("stages") or {}
    order = [*STAGES, *(stage for stage in given if stage not in STAGES)]
    return {plain(stage): int(given[stage]) for stage in order if number(given.get(stage)) is not None}


def critical_path(flow: FlowData) -> list[Hop]:
    """The steps of the longest path; nothing where the tool told none."""
    return [Hop(plain(hop.get("to") or ""), plain(hop.get("stage") or ""), number(hop.get("logic_ns")) or 0.0,
                number(hop.get("routing_ns")) or 0.0) for hop in flow.get("critical_path") or []]
