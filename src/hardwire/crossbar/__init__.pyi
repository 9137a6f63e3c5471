from .cells import Hybrid, MixedPrecision, PcmPair, Single, TikiTaka
from .crossbar import Crossbar
from .devices import Capacitor, Device, Ideal, LinearStep, Pcm, SoftBounds, device, fit
from .layers import CrossbarLinear, CrossbarSGD, convert
from .network import Network
from .periphery import Chip, Periphery
from .updates import Update

__all__ = [
    "Capacitor", "Chip", "Crossbar", "CrossbarLinear", "CrossbarSGD", "Device", "Hybrid", "Ideal", "LinearStep",
    "MixedPrecision", "Network", "Pcm", "PcmPair", "Periphery", "Single", "SoftBounds", "TikiTaka", "Update", "convert",
    "device", "fit",
]
