"""Whole circuits in standard cells: area, delay and energy per inference by activity, beside OpenSTA.

``circuits`` maps a name to a circuit file or a run directory; what stands before the first ``_`` of the name is the
data set, on whose test samples the netlist is simulated and its toggles are counted. ``liberty`` is a cell library.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from hardwire import load_dataset
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.cost import read_liberty
from hardwire.cost.liberty import Library
from hardwire.flows.asic import AsicResult, asic_flow
from hardwire.workflow.circuits import circuit_of

from .framework import Figures, RefusedError, Say


def figures(say: Say, *, liberty: str, circuits: dict[str, str], objectives: list[str] | None = None) -> Figures:
    """Take each circuit to cells, for area and for delay; RefusedError where a netlist is not the circuit."""
    library = read_liberty(liberty)
    rows = {f"{name}, least {objective}": one(name, path, library, objective, say)
            for name, path in circuits.items() for objective in objectives or ("area", "delay")}
    apart = [apart for row in rows.values() for apart in row["apart"].values()]
    return {"library": library.name, **rows,
            "delay_apart": max(row["apart"]["delay"] for row in rows.values()),
            "largest_apart": max(apart)}


def one(name: str, path: str, library: Library, objective: str, say: Say) -> dict[str, Any]:
    """Take one circuit to cells."""
    circuit, test = circuit_of(path, macros="stated"), load_dataset(name.partition("_")[0], seed=0).test
    codes = circuit.codes_of_values(test.x)
    with tempfile.TemporaryDirectory() as folder:
        result = asic_flow(circuit, library, folder=Path(folder), objective=objective, samples=codes,
                           progress=lambda text: say(f"{name}: {text}"))
    if not (result.status == "mapped" and result.verified.passed and result.simulation and result.simulation.passed):
        raise RefusedError(f"{name}: {result.status}, {result.verified}, {result.simulation}")
    return row(result, float(np.mean(PackedEngine(circuit)(codes)[:, 0] == test.y)))


def row(result: AsicResult, accuracy: float) -> dict[str, Any]:
    """What is kept of a result: of energy the sums, of OpenSTA's power the ratio to ours."""
    sta, energy = result.opensta or {}, result.energy_pj or {}
    return {
        "accuracy": accuracy, "ge": result.ge, "area_um2": result.area_um2, "cells": sum((result.cells or {}).values()),
        "delay_ps": result.delay_ps, "steps_of_critical_path": len(result.critical_path or []), "energy_pj": energy,
        "glitches": (energy["unit_delay"] or 0) / (energy["zero_delay"] or 1), "activity": result.activity,
        "leakage_w": result.leakage_w, "apart": apart(result),
        "opensta_over_own_power": {term: watts / sta["own_power_w"][term] for term, watts in sta["power_w"].items()},
        "verified": str(result.verified), "simulation": str(result.simulation), "seconds": result.seconds}


def apart(result: AsicResult) -> dict[str, float]:
    """How far our figures lie from OpenSTA's, as shares; powers at uniform activity and by its conventions."""
    delay, sta = result.delay_ps or {}, result.opensta or {}
    if not delay.get("opensta"):
        raise RefusedError(f"OpenSTA gave no figure: {sta.get('status')}")
    shares = {"delay": abs((delay["own"] or 0) / (delay["opensta"] or 1) - 1)}
    return shares | {f"{term}_power": abs(sta["own_power_alike_w"][term] / watts - 1)
                     for term, watts in sta["power_w"].items()}
