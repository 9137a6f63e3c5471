"""The cost of a circuit in every unit: by stage without a tool, in tables, mapped to cells by the board and by us."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..circuit import Circuit
from ..core.bits import Codes
from ..core.errors import InputError
from ..cost import circuit_scores, read_liberty
from ..cost.liberty import Library
from ..data import load_dataset
from ..flows.board import board_score
from ..flows.luts import lut_score
from ..flows.mapping import map_score
from ..flows.yosys import self_test
from .circuits import circuit_of
from .classify import load_samples
from .flow import stored_flows


class TestSamples(NamedTuple):
    """Codes (samples, words) to simulate netlists on, and their classes (samples,) where these are known."""

    codes: Codes
    classes: NDArray[np.integer[Any]] | None = None


def score_circuit(path: str | Path, *, liberty: str | None = None, board: bool = False, luts: bool = False,
                  dataset: str | None = None, samples: str | None = None, data_dir: str | Path | None = None,
                  progress: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Score a circuit file or the best circuit of a run directory.

    Parameters
    ----------
    path
        Circuit file or run directory.
    liberty
        A Liberty file; the circuit is mapped to it, for area and for delay.
    board
        Map it by the open board's script too.
    luts
        Cover it by look-up tables of up to six inputs, counted by Yosys.
    dataset
        A data set on whose test samples the netlists are simulated, in place of a proof.
    samples
        A .npy file of such samples, without classes.
    data_dir
        Where data sets lie.
    progress
        Called with a line before each long step.

    Returns
    -------
    dict
        ``stages``; with ``luts`` also ``luts``; with a library ``library``, ``area``, ``delay``; with ``board`` also
        ``board``; ``flows`` where outside tools have taken this circuit to a target. Verdicts are text.

    Raises
    ------
    InputError
        Where options do not go together or the data do not fit the circuit.
    MissingToolError
        Where a library or ``luts`` is given and ``pyosys`` is not there.
    """
    if board and liberty is None:
        raise InputError("the board's script needs a library; give --liberty FILE, sky130 hd for the board's figure")
    if dataset is not None and samples is not None:
        raise InputError("--dataset and --input both give samples; give one of them")
    if liberty is None and not luts and (dataset is not None or samples is not None):
        raise InputError("samples are for netlists; give --liberty FILE or --luts with them")
    circuit = circuit_of(path, progress=progress)
    if liberty is None and not luts:
        return _described(circuit, path, None)
    self_test()
    library = None if liberty is None else read_liberty(liberty)
    test = _samples(circuit, dataset, samples, data_dir)
    codes = test.codes if test else None
    result = _described(circuit, path, library)
    if luts:
        progress("score: our cover by look-up tables")
        result["luts"] = _plain(lut_score(circuit, codes, test.classes if test else None))
    if library is None:
        return result
    if board:
        progress("score: the board's script")
        result["board"] = _plain(board_score(circuit, library, codes, test.classes if test else None))
    for objective in ("area", "delay"):
        progress(f"score: our mapping, least {objective}")
        result[objective] = _plain(map_score(circuit, library, objective=objective, samples=codes))
    return result


def _samples(circuit: Circuit, dataset: str | None, samples: str | None, data_dir: str | Path | None
             ) -> TestSamples | None:
    if samples is not None:
        return TestSamples(circuit.codes_of_values(load_samples(samples, circuit)))
    if dataset is None:
        return None
    test = load_dataset(dataset, data_dir=data_dir).test
    classes = test.y if test.y.ndim == 1 and circuit.outputs[0].name == "class_index" else None
    return TestSamples(circuit.codes_of_values(test.x), classes)


def _described(circuit: Circuit, path: str | Path, library: Library | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "file": str(path), "name": circuit.name, "digest": circuit.digest,
        "stages": {stage: score.to_json() for stage, score in circuit_scores(circuit, library).items()}}
    if flows := stored_flows(path, circuit):
        result["flows"] = flows
    if library is not None:
        adders = {"full_adder": library.full_adder, "half_adder": library.half_adder}
        result["library"] = {
            "file": library.path, "name": library.name, "cells": len(library.cells), "nand2": library.nand2.name,
            "nand2_area": library.nand2.area, **{key: a.cell.name if a else None for key, a in adders.items()}}
    return result


def _plain(score: Any) -> dict[str, Any]:
    """A score as a dictionary, its verdicts as text."""
    verified = score.verified
    text = {key: str(v) for key, v in verified.items()} if isinstance(verified, dict) else str(verified)
    return asdict(score) | {"verified": text}
