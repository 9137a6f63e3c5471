"""torch cannot export the kernels: it wrote a constant, and is refused with the way to the circuit."""

import io
import warnings

import pytest
import torch
from torch import nn

from hardwire import lower
from hardwire.core.errors import InputError
from hardwire.logic import GroupSum, LogicConv2d, LogicLayer, LogicNetwork, OrPool2d
from hardwire.logic.network.phase import Phase


def layers():
    return [LogicLayer(12, 20, seed=1), LogicLayer(20, 20, seed=2)]


MODULES = {"network": lambda: LogicNetwork(layers(), GroupSum(5)), "layer": lambda: layers()[0],
           "sequence": lambda: nn.Sequential(*layers(), GroupSum(5))}
EXPORTS = {"torch.export": lambda m, x: torch.export.export(m, (x,)), "jit": torch.jit.trace,
           "onnx": lambda m, x: torch.onnx.export(m, (x,), io.BytesIO(), dynamo=False)}


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("export", EXPORTS)
def test_an_export_is_refused(module, export):
    with warnings.catch_warnings(), pytest.raises(InputError, match="would write a constant in its place; lower it"):
        warnings.simplefilter("ignore")
        EXPORTS[export](MODULES[module]().eval(), torch.zeros(2, 12))


def test_a_sequence_is_lowered_as_the_network_is():
    network = LogicNetwork(layers(), GroupSum(5))
    nested = nn.Sequential(nn.Flatten(), nn.Sequential(*layers()), GroupSum(5))
    assert lower(nested).digest == lower(network).digest
    conv = [LogicConv2d((1, 4, 4), 3, padding=1, pool=1, depth=2), OrPool2d((3, 4, 4)), LogicLayer(12, 10)]
    assert lower(nn.Sequential(*conv, GroupSum(2))).digest == lower(LogicNetwork(conv, GroupSum(2))).digest


def test_lowering_a_sequence_leaves_its_phase():
    gates = layers()
    LogicNetwork(gates, GroupSum(5)).set_phase(Phase(frozen_layers=1))
    before = [layer.phase for layer in gates]
    lower(nn.Sequential(*gates, GroupSum(5)))
    assert [layer.phase for layer in gates] == before and before[0].frozen


@pytest.mark.parametrize("modules, said", [
    ([], "ends with NoneType"), ([LogicLayer(12, 20)], "ends with LogicLayer; end it with a head, such as GroupSum"),
    ([nn.Linear(12, 12), LogicLayer(12, 20), GroupSum(5)], "has a Linear before its end"),
    ([LogicLayer(12, 20), LogicLayer(30, 20), GroupSum(5)], "20 gates feeds one that reads 30")])
def test_other_sequences(modules, said):
    with pytest.raises(InputError, match=said):
        lower(nn.Sequential(*modules))
