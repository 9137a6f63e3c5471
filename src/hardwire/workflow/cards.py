"""The model card of a folder in the layout of the Hugging Face hub: a YAML head and Markdown."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ..circuit import Circuit
from ..cost import stage_costs
from ..runs.checkpoint import Stored
from ..runs.record import Record

PIPELINES = {"classify": "classification", "regress": "regression", "multilabel": "classification"}


def model_card(config: Mapping[str, Any], stored: Stored, circuit: Circuit | None, record: Record | None) -> str:
    """Word the card: what the model is, its accuracy, cost, proofs and where it comes from."""
    name = str(config["dataset"].get("name") or config["settings"].get("dataset", "data"))
    title = f"{stored.hardware} network for {name}"
    sections = [_head(config, name, title, record), f"# {_text(title)}\n", WHAT[stored.hardware], _use(circuit),
                "## Accuracy\n", _table(("split", "figure"), _accuracy(stored, record))]
    if circuit is not None:
        costs = [(stage, f"{cost['gates']:,}", cost["depth"]) for stage, cost in stage_costs(circuit).items()]
        sections += ["## Cost of the circuit\n", _table(("stage", "two-input gates", "depth"), costs)]
    sections += ["## Proofs\n", _table(("check", "verdict"), _proofs(circuit, record)), "## Provenance\n",
                 _table(("", ""), _provenance(config, stored, circuit, record))]
    return "\n".join(sections)


WHAT = {
    "logic": "A network of Boolean gates, trained with Hardwire and frozen into an exact circuit.\n",
    "crossbar": "A fully connected network whose weights are conductances of analog memory, trained with Hardwire.\n",
    "spiking": "An unsupervised spiking network on an array of memory cells, trained with Hardwire.\n"}


def _head(config: Mapping[str, Any], name: str, title: str, record: Record | None) -> str:
    """YAML; each value is JSON, which YAML contains."""
    image = config["dataset"].get("shape") is not None
    kind = PIPELINES[str(config["settings"].get("task", "classify"))]
    task = f"{'image' if image and kind == 'classification' else 'tabular'}-{kind}"
    lines: dict[str, Any] = {"library_name": "hardwire", "pipeline_tag": task, "datasets": [name],
             "tags": ["hardwire", str(config["hardware"])]}
    if record is not None and record.accuracy.metric == "accuracy":
        lines["metrics"] = ["accuracy"]
        lines["model-index"] = [{"name": title, "results": [
            {"task": {"type": task}, "dataset": {"name": name, "type": name},
             "metrics": [{"type": "accuracy", "value": record.accuracy.test_hard}]}]}]
    return "\n".join(["---", *(f"{key}: {json.dumps(value)}" for key, value in lines.items()), "---", ""])


def _use(circuit: Circuit | None) -> str:
    lines = ["import hardwire", "", 'model = hardwire.from_pretrained("FOLDER")']
    if circuit is not None:
        lines += ['circuit = hardwire.load_circuit("FOLDER/circuit.net")  # needs no torch',
                  "codes = circuit(x)  # x: (samples, inputs)"]
    return "\n".join(["```python", *lines, "```", ""])


def _accuracy(stored: Stored, record: Record | None) -> list[tuple[object, ...]]:
    if record is not None:
        merits = (("test, as it runs", record.accuracy.test_hard),
                  ("test, before freezing", record.accuracy.test_relaxed), ("validation", record.accuracy.validation))
        return [(f"{what} ({record.accuracy.metric})", f"{value:.4f}") for what, value in merits if value is not None]
    step, run = stored.values.get("best_step"), stored.values.get("run", {})
    best = next((row["hard"] for row in run.get("metrics", []) if row.get("step") == step and "hard" in row), None)
    return [("validation", "not known" if best is None else f"{best:.4f}"), ("test", "not measured")]


def _proofs(circuit: Circuit | None, record: Record | None) -> list[tuple[object, ...]]:
    if record is None:
        return [("all", "not verified; `hardwire verify` and `hardwire report` do so in a run directory")]
    if circuit is not None and record.digest not in (None, circuit.digest):
        return [("all", "the record is of another circuit")]
    return [(name, str(verdict)) for name, verdict in record.verified.items()] or [("all", "nothing to prove")]


def _provenance(config: Mapping[str, Any], stored: Stored, circuit: Circuit | None, record: Record | None
                ) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [("hardwire", config["hardwire_version"])]
    rows += [("seed", config["settings"].get("seed"))]
    rows += [(f"data, {part}", digest) for part, digest in stored.values.get("fingerprint", {}).items()]
    rows += [("circuit", circuit.digest)] if circuit is not None else []
    rows += [(f"{name}, SHA-256", digest) for name, digest in config["files"].items()]
    if record is not None:
        rows += [("commit", record.environment.commit or "none"), ("date", record.environment.date or "not noted")]
    return rows


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_text(cell) for cell in line) + " |" for line in lines) + "\n"


def _text(value: object) -> str:
    """Escape what would be HTML, a cell's end, or a link."""
    text = escape(" ".join(str(value).split()), quote=False)
    return "".join(f"\\{c}" if c in "|[]*_`" and text != "---" else c for c in text)
