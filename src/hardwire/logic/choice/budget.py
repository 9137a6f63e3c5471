"""The choice where there is a price: how an exact search of the whole circuit begins, and how long it takes."""

from collections.abc import Mapping
from typing import Any

from ..settings import LogicSettings, search_preset
from .features import DataFeatures
from .rules import SCALES, Effort, encoder

#: Seconds of a search.
SECONDS: Mapping[Effort, float] = {"fast": 60.0, "normal": 240.0, "best": 1200.0}
#: Two-input gates up to which a search begins with nothing, as it grows about a hundred gates a second.
FROM_NOTHING = 20_000.0
#: What a unit of price is in two-input gates, roughly.
IN_GATES: Mapping[str, float] = {"ge": 0.8, "gates": 1.0, "luts": 8.0}
#: Share of the price that a trained network takes that a search begins with, and its layers.
NETWORK_SHARE, LAYERS = 0.6, 2


def searched(data: DataFeatures, effort: Effort, given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the settings of a search for the price in ``given``, and a sentence that says why.

    Up to ``FROM_NOTHING`` gates it begins with nothing, which gives the cheaper circuits; above it begins with a
    trained network of two-input gates of about that size.
    """
    budget, unit = float(given["budget"]), given.get("unit", "ge")
    gates = budget * IN_GATES[unit]
    base = search_preset("a user's own", budget, unit).model_dump()
    plain = LogicSettings.model_validate({}).model_dump()
    settings = {name: value for name, value in base.items() if value != plain[name]} | {
        "search_seconds": SECONDS[effort]}
    settings.pop("dataset")
    if data.is_image:
        settings |= {"encoder": "uniform", "levels": 3, "vary_noise": 0.0}
        if data.mirrors and data.alike:
            settings["augment"] = "flip"
    what = f"search for {SECONDS[effort]:g} s to {budget:g} {unit}"
    if gates <= FROM_NOTHING:
        return settings | {"start": "nothing"}, f"{what}, from nothing: up to {FROM_NOTHING:g} gates it ends cheaper so"
    width = max(data.outputs, int(NETWORK_SHARE * gates / LAYERS))
    scale = SCALES[effort]
    network = encoder(data, scale)[0] | {
        "layers": LAYERS, "width": width, "init": "random", "noise": 1.0, "steps": scale.steps,
        "wiring": "structured" if data.is_image else "random", "harden_at": 0.7, "evaluate_every": scale.steps // 20}
    return settings | network | {"start": "gradient"}, (
        f"{what}, from a trained network of {LAYERS} layers of {width} gates: from nothing it would take too long")
