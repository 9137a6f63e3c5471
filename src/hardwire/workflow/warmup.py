"""Compile what a first training would compile: ``python -m hardwire.workflow.warmup``.

Numba keeps compiled kernels on disk; the ones that a small network of digits needs on its whole way, and a search, are
then there.
"""

from ..circuit.engine.packed import PackedEngine
from ..circuit.simulate import simulate
from ..core.errors import ToolError
from ..data import load_dataset
from ..logic import preset
from ..logic.lowering import lower
from ..logic.settings import DEMO_SEARCH, search_preset
from ..logic.training.training import train
from ..passes import optimize
from ..verify import prove

#: Steps of training: one evaluation, one checkpoint.
STEPS = 2
#: Rounds of the demo's search.
ROUNDS = 60


def warm_up() -> None:
    """Train a small network on the embedded digits, lower, optimise, prove and run it; search for a few rounds.

    Raises
    ------
    ToolError
        Where the optimised circuit is not the same function; compiled code is then not to be trusted.
    """
    digits = load_dataset("digits")
    settings = preset("digits").changed(width=200, steps=STEPS, evaluate_every=STEPS)
    train(search_preset("digits").changed(**DEMO_SEARCH | {"search_rounds": ROUNDS}), digits)
    run = train(settings, digits)
    raw = lower(run.network, run.encoder, name="digits", labels=digits.classes)
    best, _ = optimize(raw)
    codes = run.encoder.codes(digits.test.x)
    same = (PackedEngine(best)(codes) == simulate(raw, codes)).all()
    if prove(raw, best).status != "proved" or not same:
        raise ToolError("the optimised circuit differs from the trained one; remove compiled kernels (__pycache__)")


if __name__ == "__main__":
    warm_up()
