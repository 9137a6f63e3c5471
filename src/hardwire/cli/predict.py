"""The verb ``predict``: what a trained run says of new samples."""

import csv
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import rich_click as click

from ..core.errors import InputError
from .output import FIRST, Output
from .verbs import data_dir_option, run_argument, verb

EXAMPLES = """
hardwire predict runs/species new.csv
hardwire predict runs/species new.csv --out answers.csv
hardwire predict runs/mnist images.npz --json
hardwire predict runs/pets photos/ --out answers.csv
"""


@verb(EXAMPLES)
@run_argument
@click.argument("samples", metavar="FILE",
                help="A .csv, .tsv or .parquet table, .npz with x, .npy, a picture or a folder of pictures.")
@click.option("--out", metavar="FILE.csv", help="Where the answers go (default: standard output).")
@click.option("--as-is", is_flag=True, help="Take values as they are, also where they look scaled.")
@data_dir_option
def predict(output: Output, *, run: str, samples: str, out: str | None, as_is: bool, data_dir: Path | None) -> int:
    """Predict new samples with a trained run.

    A table needs the columns of training by name, in any order; the label may be absent. Each line of the answer has
    the number of the sample and its class, margin and calibrated probability, or the values of the targets or labels.
    What training did not have is counted and said.
    """
    from ..workflow.predict import Right, load_predictor, predict_blocks
    from ..workflow.unlabelled import Met

    if out and Path(out).is_dir():
        raise InputError(f"--out {out} is a folder; give a .csv file")
    predictor, notes = load_predictor(run, data_dir)
    met, right, count = Met(), Right(), 0
    rows: list[dict[str, str]] = []
    with _target(out, output.as_json) as file:
        writer = csv.writer(file, lineterminator="\n")
        for block in predict_blocks(predictor, samples, met, right, as_is=as_is):
            if output.as_json:
                rows += [dict(zip(block.header(), row)) for row in block.rows(count + 1)]
            if not count:
                writer.writerow(block.header())
            writer.writerows(block.rows(count + 1))
            count += len(block)
    for line in [f"{count:,} samples", *notes, *met.lines(predictor.columns), *right.lines()]:
        output.say(line)
    if output.as_json:
        output.answer({"samples": count, "predictions": rows, "file": out}, "")
    elif out:
        output.answer({}, f"{count:,} samples -> {out}")
    return 0


@contextmanager
def _target(out: str | None, silent: bool) -> Iterator[TextIO]:
    """Open what is written: a file, aside and renamed when it is complete; standard output; or nothing."""
    if not out:
        with open(os.devnull, "w", encoding="utf-8") as nothing:
            yield nothing if silent or not FIRST else sys.stdout
        return
    path = Path(out)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}; choose a folder that can be written") from None
    finally:
        part.unlink(missing_ok=True)
