"""Devices named after those that were measured, each with its paper and how good the fit is; and devices as files."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import tomli_w

from ..core.errors import FormatError, InputError
from ..core.files import read_text, write_text
from ..core.reading import parse_toml
from .models import BinaryCell, Capacitor, Device, Ideal, LinearStep, Pcm, SoftBounds

#: Fits of others say what they fit, and no figure of how well.
_UNKNOWN = "the fit's error is not published"
_NO_FIT = "no fit: a model of what could be"
_LI = "linear-step fit to Li et al., VLSI 2018, 14 nm trench capacitor, as in aihwkit's preset (read)"
_HYBRID = "conductance 4 to 20 uS, reference in the middle: HybridCell of MLP+NeuroSim V3.0 (read)"

IDEAL = Ideal(source="float arithmetic", fit=_NO_FIT)

CAPACITOR_VLSI2018 = Capacitor(
    name="capacitor_vlsi2018", source=f"{_LI}; {_HYBRID}; steps scaled to that range (derived)",
    fit=f"{_UNKNOWN}; spreads of the slopes of 0.01 are left out", step=0.04, slope_up=0.05, slope_down=0.05, low=-8.0,
    high=8.0,
    bound_spread=0.07, step_spread=0.1, asymmetry_spread=0.06, cycle_noise=0.3, lifetime=1e6, lifetime_spread=0.3,
    leak_to=-8.0,
    assumed=("leak_to",))

CAPACITOR_CMOS = dataclasses.replace(
    CAPACITOR_VLSI2018, name="capacitor_cmos", asymmetry_spread=0.2, assumed=("leak_to", "asymmetry_spread"),
    source=f"{CAPACITOR_VLSI2018.source}; mismatch of up and down step as in the test of cancellation")

CAPACITOR_NEUROSIM = Capacitor(
    name="capacitor_neurosim", source=f"{_HYBRID}: 32 levels, cycle to cycle 0.5 %; no spread, no leak (read)",
    fit=_NO_FIT,
    step=0.5, low=-8.0, high=8.0, cycle_noise=0.005)

CAPACITOR_IDEAL = Capacitor(
    name="capacitor_ideal", source="steps of capacitor_vlsi2018 without any of its imperfections", fit=_NO_FIT,
    step=0.04,
    low=-8.0, high=8.0)

PCM_GST = Pcm(
    name="pcm_gst", source="exponential-step fit to Nandakumar et al., Front. Neurosci. 2020, as in aihwkit's preset "
                           "(read), scaled "
    "from its range of 2 to g_max 25 uS (derived); drift and 1/f read noise: aihwkit's inference model for g_max 25 uS "
    "(read)",
    fit=_UNKNOWN, step=0.125, shape=27.235, decay=5.0, step_spread=0.2, cycle_noise=0.6, noise_add=0.525,
    noise_slope=0.108,
    bound_spread=0.1, reset=0.125, reset_noise=0.25, drift=1.0, read_noise=1.0, assumed=("read_noise",))

PCM_IDEAL = Pcm(name="pcm_ideal", source="linear, silent, without spread", fit=_NO_FIT, step=0.125)

GOKMEN_VLASOV = LinearStep(
    name="gokmen_vlasov", source="specification of Gokmen and Vlasov 2016 as in aihwkit's preset (read)",
    fit="no fit: the specification of a device to be built, 1,200 states", relative=True, step=0.0016, low=-1.0,
    high=1.0,
    bound_spread=0.3, step_spread=0.3, asymmetry_spread=0.01, cycle_noise=0.3)

ECRAM_MO = LinearStep(
    name="ecram_mo",
    source="linear-step fit to Kim et al., IEDM 2019, metal-oxide ECRAM, as in aihwkit's preset (read)",
    fit=f"{_UNKNOWN}; spreads of the slopes of 0.05 are left out", relative=True, step=2.8214e-4, slope_up=0.4152,
    slope_down=0.7342, low=-0.8286, high=1.1714, bound_spread=0.05, step_spread=0.1, asymmetry_spread=0.01,
    cycle_noise=2.0)

RERAM_SB = SoftBounds(
    name="reram_sb", source="loose soft-bounds fit to Gong et al., Nat. Commun. 2018, as in aihwkit's preset (read); "
                            "its bounds' "
    "spreads of 0.3 / 1.25 and 0.3 / 0.75 are one here, its write noise is left out",
    fit="loose in its authors' words, who fit exponential steps more accurately", relative=True, step=0.002, low=-0.75,
    high=1.25,
    bound_spread=0.3, step_spread=0.3, asymmetry_spread=0.01, cycle_noise=3.75)

CONSTANT_IDEAL = LinearStep(name="constant_ideal", source="equal steps without noise or spread", fit=_NO_FIT,
                            relative=True,
                            step=0.001, low=-1.0, high=1.0)

#: Presets by name.
PRESETS: dict[str, Device] = {d.name: d for d in (
    IDEAL, CAPACITOR_VLSI2018, CAPACITOR_CMOS, CAPACITOR_NEUROSIM, CAPACITOR_IDEAL, PCM_GST, PCM_IDEAL, GOKMEN_VLASOV,
    ECRAM_MO,
    RERAM_SB, CONSTANT_IDEAL)}

#: What lies beyond leaves the kernels' single precision.
LARGEST_PARAMETER = 1e30
#: Kind in a .toml file -> model.
KINDS: dict[str, type[Device]] = {"linear-step": LinearStep, "soft-bounds": SoftBounds, "capacitor": Capacitor,
                                  "pcm": Pcm,
                                  "ideal": Ideal, "binary": BinaryCell}


def device(name: str, **changes: Any) -> Any:
    """Return a preset by name, with parameters changed; InputError names the presets or the parameters there are."""
    if name not in PRESETS:
        raise InputError(f"device {name!r} is unknown; choose from {', '.join(PRESETS)}, or give a .toml file of a fit")
    known = [f.name for f in dataclasses.fields(PRESETS[name])]
    if unknown := sorted(set(changes) - set(known)):
        raise InputError(f"device {name!r} has no parameter {unknown[0]!r}; it has {', '.join(known)}")
    return dataclasses.replace(PRESETS[name], **changes)


def save_device(path: str | Path, device: Device) -> Path:
    """Write a device as TOML."""
    kind = next(k for k, v in KINDS.items() if type(device) is v)
    return write_text(path, tomli_w.dumps({"kind": kind, **dataclasses.asdict(device)}))


def _check_types(kind: type[Device], parameters: dict[str, Any]) -> None:
    """TypeError where a parameter is no value of the type of its default."""
    for field in dataclasses.fields(kind):
        value, wanted = parameters.get(field.name, field.default), type(field.default)
        right = type(value) in ((int, float) if wanted is float else (wanted,))
        if not right or (wanted is tuple and not all(isinstance(entry, str) for entry in value)):
            raise TypeError(f"{field.name}, which is to be a {wanted.__name__},")
        if wanted is float and math.isfinite(value) and abs(value) > LARGEST_PARAMETER:
            raise TypeError(f"{field.name} = {value:g}, which is beyond {LARGEST_PARAMETER:g},")


def load_device(name_or_path: str | Path) -> Any:
    """Return a preset by name, or the device of a .toml file."""
    if not str(name_or_path).endswith(".toml"):
        return device(str(name_or_path))
    try:
        values = parse_toml(read_text(name_or_path))
        kind = KINDS[values.pop("kind")]
        parameters: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        _check_types(kind, parameters)
        return kind(**parameters)
    except ValueError as error:
        raise FormatError(f"{name_or_path} is not TOML ({error}); write it with `hardwire crossbar fit`") from None
    except (KeyError, TypeError) as error:
        raise FormatError(f"{name_or_path} lacks or garbles {error}; it needs a kind of {', '.join(KINDS)} and that "
                          "device's "
                          f"parameters, or a preset's name: {', '.join(PRESETS)}") from None
