"""The training that settings describe: gradient steps, an exact search, or one after the other."""

from pathlib import Path
from typing import Any, overload

import torch

from ...core.errors import InputError
from ...data import Dataset
from ...runs.directory import RunDirectory
from ...runs.experiment import BUILDING, Training, run
from ...runs.progress import Listener, Progress
from ...runs.shown import shown
from ..model import Model, NetworkT, unpack
from ..settings import LogicSettings
from .gradient import LogicTraining
from .search import SearchTraining


def training_of(settings: LogicSettings, dataset: Dataset) -> Training:
    """Return the training that the settings describe, at its beginning."""
    return SearchTraining(settings, dataset) if settings.budget else LogicTraining(settings, dataset)


@overload
def train(
    settings: LogicSettings, dataset: Dataset, *, out: str | Path | None = None, resume: bool = False,
    network: None = None, progress: Listener | bool = True, checkpoint_seconds: float | None = None,
) -> Model: ...


@overload
def train(
    settings: LogicSettings, dataset: Dataset, *, out: str | Path | None = None, resume: bool = False,
    network: NetworkT, progress: Listener | bool = True, checkpoint_seconds: float | None = None,
) -> Model[NetworkT]: ...


def train(
    settings: LogicSettings, dataset: Dataset, *, out: str | Path | None = None, resume: bool = False,
    network: torch.nn.Module | None = None, progress: Listener | bool = True, checkpoint_seconds: float | None = None,
) -> Model[Any]:
    """Train a logic network on ``dataset``, and search where there is a budget; select on its validation split.

    Parameters
    ----------
    settings
        Network, encoder and training.
    dataset
        The test split is not touched.
    out
        Run directory; without it nothing is written.
    resume
        Go on from the checkpoint in ``out``; the weights become those of a run that was never stopped.
    network
        See ``LogicTraining``.
    progress
        True: a bar on a terminal and in a notebook; False: nothing; or what is called with events, see
        ``runs.progress``.
    checkpoint_seconds
        Time between checkpoints.

    Notes
    -----
    The CPU kernels keep no activations between forward and backward but compute a block's anew (activation
    recomputation), so that depth costs no memory; ``accumulate`` cuts what is left, the unpacked batch. Started by
    ``torchrun``, the processes share every batch and evaluation; ``batch`` is that of all together.
    """
    if out is None and resume:
        raise InputError("resume needs a run directory; give out")
    with shown(progress) as listener:
        if listener is not None and not (resume and out is not None and RunDirectory(out).finished):
            listener(Progress(0, 1, "", 0.0, 0.0, doing=BUILDING))
        training = LogicTraining(settings, dataset, network) if network is not None else training_of(settings, dataset)
        outcome = run("logic", settings, training, out=out, resume=resume, listen=listener,
                      checkpoint_seconds=checkpoint_seconds)
    return unpack(outcome.stored, network)
