"""Phases of training: what a step sees of the network, as plain numbers that a schedule gives for each step."""

from dataclasses import dataclass

from ..settings import LogicSettings


@dataclass(frozen=True)
class LayerPhase:
    """What training sees of one layer.

    Parameters
    ----------
    sharpness
        Factor of all logits.
    fixed_wiring
        Learned wiring is the wires with the largest shares, and these learn no more.
    hard
        Relaxed gates are trained with the ``hard`` estimator.
    frozen
        The layer is the Boolean one, and learns no more.
    """

    sharpness: float = 1.0
    fixed_wiring: bool = False
    hard: bool = False
    frozen: bool = False


@dataclass(frozen=True)
class Phase:
    """Where training stands, for a network: its ``set_phase`` takes one before each step.

    Parameters
    ----------
    step
        The step that is being trained; the noise of Gumbel estimators is a function of it and of the network's seed.
    progress
        Share of the training that is done.
    sharpness, fixed_wiring, hard
        As in ``LayerPhase``, for all layers.
    frozen_layers
        How many layers with weights are frozen, from the first on.
    """

    step: int = 0
    progress: float = 0.0
    sharpness: float = 1.0
    fixed_wiring: bool = False
    hard: bool = False
    frozen_layers: int = 0

    def of_layer(self, i: int) -> LayerPhase:
        """The phase of the ``i``-th layer with weights."""
        return LayerPhase(self.sharpness, self.fixed_wiring, self.hard, i < self.frozen_layers)


@dataclass(frozen=True)
class Schedule:
    """The phase of each step.

    Parameters
    ----------
    steps
        Steps of the whole training.
    layers
        Layers that have weights.
    fix_wiring_at
        Share of the training from which on learned wiring is fixed.
    harden_at
        Share from which on relaxed gates are trained with the ``hard`` estimator.
    freeze_at
        Share from which on layers are frozen one after the other, at equal distances until the end, all but the last:
        what comes after learns from what will be there.
    sharpen
        The factor of all logits grows from 1 to this.
    """

    steps: int
    layers: int = 1
    fix_wiring_at: float = 1.0
    harden_at: float = 1.0
    freeze_at: float = 1.0
    sharpen: float = 1.0

    @classmethod
    def of(cls, config: LogicSettings, layers: int) -> "Schedule":
        """The schedule of the settings, for a network of so many layers with weights."""
        return cls(config.steps, layers, config.fix_wiring_at, config.harden_at, config.freeze_at, config.sharpen)

    def at(self, step: int) -> Phase:
        """The phase of ``step``, counted from 0."""
        done = step / self.steps
        turns = [self.freeze_at + (1 - self.freeze_at) * i / self.layers for i in range(self.layers - 1)]
        return Phase(step, done, 1 + (self.sharpen - 1) * done, done >= self.fix_wiring_at, done >= self.harden_at,
                     sum(done >= turn for turn in turns))
