"""The devices that cells are made of, under the crossbar's name."""

from ..devices.fitting import fit
from ..devices.models import Capacitor, Device, Ideal, LinearStep, Pcm, SoftBounds
from ..devices.presets import device

__all__ = ["Capacitor", "Device", "Ideal", "LinearStep", "Pcm", "SoftBounds", "device", "fit"]
