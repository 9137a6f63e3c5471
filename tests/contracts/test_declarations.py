"""Settings are declared once: their choices are those of the registries, every one is documented, and none loads a kernel."""

import subprocess
import sys

import pytest

from hardwire.core.settings import Kind
from hardwire.crossbar.network import ACTIVATIONS
from hardwire.crossbar.periphery import PERIPHERIES
from hardwire.crossbar.settings import ABLATIONS, VARIANTS, CrossbarSettings
from hardwire.crossbar.updates import RULES
from hardwire.data.encoders import KINDS
from hardwire.logic.network.nodes import ESTIMATORS, INITS, MAX_FAN_IN, PARAMETRISATIONS
from hardwire.logic.settings import LogicSettings
from hardwire.logic.training.augment import AUGMENTATIONS
from hardwire.logic.training.tasks import TASKS
from hardwire.report.spiking import METHODS as METHOD_NAMES
from hardwire.spiking.contenders import METHODS
from hardwire.spiking.settings import SpikingSettings
from hardwire.spiking.synapses import CODES

ALL = [LogicSettings, CrossbarSettings, SpikingSettings]


@pytest.mark.parametrize("settings, name, registry", [
    (LogicSettings, "encoder", KINDS), (LogicSettings, "parametrisation", PARAMETRISATIONS), (LogicSettings, "init", INITS),
    (LogicSettings, "estimator", ESTIMATORS), (LogicSettings, "augment", AUGMENTATIONS), (LogicSettings, "task", TASKS),
    (CrossbarSettings, "activation", ACTIVATIONS), (CrossbarSettings, "rule", RULES),
    (CrossbarSettings, "periphery", PERIPHERIES), (CrossbarSettings, "variants", VARIANTS),
    (SpikingSettings, "code", CODES), (SpikingSettings, "method", METHODS), (SpikingSettings, "method", METHOD_NAMES)])
def test_choices_are_those_of_the_registry(settings, name, registry):
    assert set(settings.kind_of(name).choices) == set(registry)


def test_choices_that_belong_to_another():
    assert set(ABLATIONS) < set(VARIANTS)
    assert LogicSettings.kind_of("fan_in").bounds == f"at least 2 and at most {MAX_FAN_IN}"


@pytest.mark.parametrize("settings", ALL)
def test_every_setting_is_documented_and_of_a_known_kind(settings):
    for name, field in settings.model_fields.items():
        assert (field.description or "").endswith(".") and field.description[0].isupper(), name
        kind = settings.kind_of(name)
        assert kind.type in (int, float, str, bool) and kind.words, name


def test_kinds():
    assert LogicSettings.kind_of("widths") == Kind(int, bounds="at least 1 and at most 2,000,000,000", is_list=True)
    assert LogicSettings.kind_of("warmup") == Kind(float, bounds="at least 0 and below 1")
    assert LogicSettings.kind_of("learn_tau") == Kind(bool)
    assert CrossbarSettings.kind_of("variants") == Kind(str, choices=tuple(VARIANTS), is_list=True)


@pytest.mark.parametrize("hardware", ["logic", "crossbar", "spiking"])
def test_settings_load_neither_torch_nor_numba(hardware):
    code = f"import hardwire.{hardware}.settings, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numba", "numpy"} & {name.split(".")[0] for name in done.stdout.split()}
