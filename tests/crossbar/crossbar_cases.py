"""Small arrays that several tests use."""

import numpy as np

from hardwire.crossbar import (
    Chip,
    Crossbar,
    Hybrid,
    MixedPrecision,
    PcmPair,
    Periphery,
    Single,
    TikiTaka,
    Update,
    device,
)
from hardwire.crossbar.periphery import PERIPHERIES

IDEAL = PERIPHERIES["ideal"]
NOISY = Periphery(input_bits=5, input_noise=0.02, output_bits=6, output_noise=0.1, output_bound=1.5)
SHORT = {"transfer_every": 7, "leak_every": 3}
CAPACITOR = device("capacitor_vlsi2018", lifetime=200.0, leak_to_spread=1.0)

CELLS = {
    "single": Single(),
    "single soft bounds": Single(device=device("reram_sb"), update=Update(slots=5, manage_length=False, manage_scale=False)),
    "single leaking": Single(device=device("constant_ideal", lifetime=50.0), leak_every=2),
    "hybrid": Hybrid(capacitor=CAPACITOR, example_time=1.0, **SHORT),
    "hybrid counts": Hybrid(capacitor=CAPACITOR, update=Update(rule="counts"), **SHORT),
    "hybrid nearest, no inversion": Hybrid(inversion=False, update=Update(rule="counts", nearest=True), **SHORT),
    "hybrid refreshing": Hybrid(refresh_level=0.1, tolerance=0.5, **SHORT),
    "hybrid ideal": Hybrid(capacitor=device("ideal", relative=False, low=-900.0, high=900.0), pcm=device("pcm_ideal"), **SHORT),
    "pair": PcmPair(refresh_every=5, refresh_level=0.3, example_time=1.0),
    "tiki-taka 1": TikiTaka(version=1, gamma=0.2, rate=0.5),
    "tiki-taka 2": TikiTaka(rate=2.0, momentum=0.2, transfer_every=2),
    "mixed precision": MixedPrecision(),
}


def array(cell, shape=(6, 5), *, seed=0, ahead=IDEAL, back=None, block=(512, 512)) -> Crossbar:
    chip = Chip(blocks=1000, rows=block[0], columns=block[1])
    return Crossbar(*shape, cell, ahead=ahead, back=ahead if back is None else back, seed=seed, chip=chip)


def weights(shape=(6, 5), seed=0, scale=0.2) -> np.ndarray:
    return scale * np.random.default_rng(seed).standard_normal(shape)
