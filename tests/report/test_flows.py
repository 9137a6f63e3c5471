"""What the page says of flows through outside tools."""

import copy

import pytest
from test_html import Page

from hardwire.report import flows, format_text, render_html

ECP5 = {
    "target": "ecp5", "device": "25k-CABGA381", "status": "routed", "tools": {"nextpnr": "0.11.1"}, "verified": "proved", "seconds": 74.0,
    "files": {}, "cells": {"TRELLIS_COMB": 7720, "TRELLIS_FF": 3944, "DP16KD": 0}, "capacity": {"TRELLIS_COMB": 24288, "TRELLIS_FF": 24288, "DP16KD": 56},
    "stages": {"encoder": 0, "network": 649, "head": 683, "wrapper": 40}, "flip_flops": 3944, "clock_mhz": {"asked": 200.0, "reached": 201.3},
    "latency": {"cycles": 16, "ns": 79.5}, "throughput_per_s": 2.013e8,
    "critical_path": [{"from": "a", "to": "<b>", "stage": "network", "logic_ns": 0.24, "routing_ns": 1.9},
                      {"from": "<b>", "to": "c", "stage": "head", "logic_ns": 0.24, "routing_ns": 2.2}],
}  # fmt: skip
SKY130 = {
    "target": "liberty:sky130.lib", "library": "sky130_hd", "status": "mapped", "tools": {"OpenSTA": "2.0.17"}, "verified": "simulated 360",
    "seconds": 3.0, "files": {}, "ge": 2481.3, "area_um2": 9313.0, "cells": {"nand2_1": 400}, "delay_ps": {"own": 9700.0, "abc": None, "opensta": 9812.0},
    "energy_pj": {"zero_delay": 97.9, "unit_delay": 309.0, "vectorless": None},
}  # fmt: skip


@pytest.fixture
def record(full):
    return copy.deepcopy(full | {"flows": {"ecp5": ECP5, "ecp5-85": ECP5 | {"device": "85k"}, "sky130": SKY130}})


def test_the_page_has_every_figure(record):
    page = Page(render_html(record))
    for said in ("Silicon", "201 MHz (200 asked)", "79.50 ns (16 clocks)", "201 M/s", "1,372 tables, 3,944 flip-flops", "2,481 GE", "9.812 ns",
                 "309 pJ", "31.8 %", "unit delay", "OpenSTA", "simulated 360", "routed"):
        assert said in page.text, said
    assert "DP16KD" not in page.text
    labels = [svg["aria-label"] for svg in page.all("svg")]
    assert sum(label.startswith("Critical path") for label in labels) == 2
    assert "Latency beside area" in labels and "Look-up tables by stage and target" in labels


def test_a_page_without_flows_says_nothing_of_them(full):
    assert "Silicon" not in Page(render_html(full)).text


def test_what_is_not_known_is_a_dash(record):
    for flow in record["flows"].values():
        for key in ("clock_mhz", "latency", "stages", "cells", "capacity", "critical_path", "delay_ps", "energy_pj", "ge", "throughput_per_s"):
            flow[key] = None
    rows = flows.figures(record)
    assert rows[0][1:5] == ("3,944 flip-flops", "–", "–", "–") and rows[2][1:5] == ("–", "–", "–", "–")
    assert Page(render_html(record)).text


def test_a_delay_by_opensta_goes_before_others():
    assert flows.nanoseconds(SKY130) == pytest.approx(9.812)
    assert flows.nanoseconds(SKY130 | {"delay_ps": {"own": 9700.0, "opensta": None}}) == pytest.approx(9.7)


def test_the_text_has_a_line_for_each(record):
    text = format_text(record)
    assert "silicon" in text and "routed, 1,372 tables, 3,944 flip-flops, 201 MHz (200 asked)" in text and "mapped, 2,481 GE, 9.812 ns" in text
