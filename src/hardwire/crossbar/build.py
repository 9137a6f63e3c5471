"""From settings to cells, converters and chip."""

from ..devices.models import Ideal
from ..devices.presets import load_device
from .cells import Cell, Hybrid, MixedPrecision, PcmPair, Single, TikiTaka
from .periphery import PERIPHERIES, Chip, Periphery
from .settings import CrossbarSettings
from .updates import Update


def cell_of(settings: CrossbarSettings, variant: str) -> Cell:
    """Return the cell that a variant is made of."""
    s, update, device = settings, Update(rule=settings.rule, slots=settings.slots), load_device
    if variant in ("hybrid", "no-inversion"):
        return Hybrid(unit=s.unit, update=update, capacitor=device(s.capacitor), pcm=device(s.pcm), factor=s.factor,
                      tolerance=s.tolerance, transfer_every=s.transfer_every, inversion=variant == "hybrid")
    if variant == "2pcm":
        return PcmPair(unit=s.pair_unit, update=update, pcm=device(s.pcm))
    if variant == "float":
        return Single(device=Ideal())
    if variant in ("single", "mixed-precision"):
        kind = Single if variant == "single" else MixedPrecision
        return kind(device=device(s.device), update=update)
    return TikiTaka(version=1 if variant == "tiki-taka-1" else 2, update=update)


def periphery_of(settings: CrossbarSettings, variant: str) -> Periphery:
    """Return the converters of a variant; training in float has none."""
    return PERIPHERIES["ideal" if variant == "float" else settings.periphery]


def chip_of(settings: CrossbarSettings) -> Chip:
    """Return the chip that layers are placed on."""
    return Chip(settings.blocks, settings.block_rows, settings.block_columns)
