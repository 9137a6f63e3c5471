"""What a prompt and a notebook show of an object is short; what comes from a file is escaped."""

from html.parser import HTMLParser

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.core.cards import card
from hardwire.core.verdict import Verdict
from hardwire.data import load_dataset
from hardwire.data.encoders import fit_encoder
from hardwire.runs.record import Record

STRANGE = "<script>alert(1)</script>&\""


def circuit(nodes=5000):
    b = CircuitBuilder("big", labels=(STRANGE, "other"))
    x = [b.input(f"x{i}", 8) for i in range(100)]
    net = x[0][0]
    for i in range(nodes):
        net = b.node(0b0110, net, x[i % 100][i % 8])
    b.output("class_index", net)
    return b.build()


def record():
    count = {"gates_raw": 10, "gates_optimized": 5, "depth": 2}
    return Record.of({
        "hardware": "logic", "dataset": STRANGE, "seed": 1, "accuracy": {"test_hard": 0.9, "test_relaxed": 0.91, "validation": 0.92},
        "counts": dict.fromkeys(("encoder", "network", "head"), count),
        "verified": {f"check {i}": "proved" for i in range(20)}, "time": {"train_s": 1.0}, "energy": [],
        "confusion": np.eye(50, dtype=int), "classes": [str(i) for i in range(50)],
        "environment": {"versions": {}, "machine": {}, "commit": None}})


@pytest.fixture(scope="module")
def objects():
    from hardwire.crossbar.network import Network
    from hardwire.crossbar.settings import CrossbarSettings
    from hardwire.crossbar.training import cell_of
    from hardwire.logic import GroupSum, LogicLayer, LogicNetwork
    from hardwire.spiking.settings import SpikingSettings
    from hardwire.spiking.training import build

    digits, c = load_dataset("digits"), circuit()
    network = LogicNetwork([LogicLayer(64, 100), *(LogicLayer(100, 100, seed=i) for i in range(9))], GroupSum(10))
    return {"circuit": c, "engine": PackedEngine(c), "dataset": digits, "split": digits.train, "record": record(),
            "encoder": fit_encoder("uniform", digits.train.x, levels=4), "network": network,
            "verdict": Verdict("refuted", counterexample={f"x{i}": 1 for i in range(784)}),
            "crossbar": Network([64, 30, 10], cell_of(CrossbarSettings(), "hybrid")),
            "spiking": build(SpikingSettings(), 64, 100)}


NAMES = ["circuit", "engine", "dataset", "split", "record", "encoder", "network", "verdict", "crossbar", "spiking"]


@pytest.mark.parametrize("name", NAMES)
def test_an_object_prints_on_one_line(objects, name):
    for text in (repr(objects[name]), str(objects[name])):
        assert 6 < len(text) < 500 and "\n" not in text


def test_what_is_printed(objects):
    assert repr(objects["circuit"]) == "<Circuit 'big': 100 inputs, 5000 nodes, depth 5000>" == str(objects["circuit"])
    assert objects["circuit"].text().count("\n") == 5000 + 102
    assert repr(objects["dataset"]) == "<Dataset 'digits': 1,294 training, 144 validation, 359 test samples, 64 features, 10 classes>"
    assert "accuracy 90.00%; 20 proved" in repr(objects["record"])
    assert repr(objects["network"]) == ("LogicNetwork(LogicLayer(64, 100, table) -> 9 x LogicLayer(100, 100, table) -> "
                                        "GroupSum(10, tau=1); 1,000 gates)")


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["circuit", "dataset", "record", "network", "crossbar", "spiking"])
def test_a_notebook_shows_a_card(objects, name):
    html = objects[name]._repr_html_()
    tags = Tags()
    tags.feed(html)
    assert not tags.open and tags.seen <= {"div", "table", "thead", "tbody", "tr", "th", "td"} and len(html) < 10_000
    assert "color:inherit" in html and "#" not in html and "white" not in html  # the notebook's colours, light or dark


def test_cards_escape_everything():
    html = card(STRANGE, [(STRANGE, 12345)], head=(STRANGE,))
    assert "<script" not in html and html.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;") == 3 and "12,345" in html
