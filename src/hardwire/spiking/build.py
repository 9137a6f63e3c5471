"""From settings to the cell that holds a weight."""

import dataclasses

from ..core.errors import InputError
from ..devices.models import BinaryCell, LinearStep
from ..devices.presets import load_device
from .settings import SpikingSettings
from .synapses import EVEN

#: Settings that are parameters of a device.
BINARY = ("write_failure", "failure_spread", "endurance", "endurance_spread", "stuck", "attempts")
ANALOG = ("step_spread", "asymmetry_spread", "cycle_noise", "bound_spread")


def device_of(settings: SpikingSettings) -> BinaryCell | LinearStep | None:
    """Return the cell that the settings describe; None where the weights are ideal.

    Raises
    ------
    InputError
        ``analog_device`` is none whose conductance goes up and down by steps.
    """
    if settings.cells == "ideal":
        return None
    if settings.cells == "digital":
        return BinaryCell(**{name: getattr(settings, name) for name in BINARY})
    device = load_device(settings.analog_device) if settings.analog_device else EVEN
    if not isinstance(device, LinearStep):
        kind = type(device).__name__
        raise InputError(f"analog_device = {settings.analog_device!r} is a {kind}, which cannot go up and down by "
                         "steps; choose a linear-step device")
    return dataclasses.replace(device, **{name: value for name in ANALOG if (value := getattr(settings, name))})
