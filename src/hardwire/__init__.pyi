from .circuit import Circuit as Circuit
from .circuit import CircuitBuilder as CircuitBuilder
from .circuit import save_circuit as save_circuit
from .circuit.engine.packed import PackedEngine as PackedEngine
from .core.errors import HardwireError as HardwireError
from .cost import stage_costs as stage_costs
from .data import Dataset as Dataset
from .data import load_dataset as load_dataset
from .logic.choice import choose as choose
from .logic.importers import import_difflogic as import_difflogic
from .logic.importers import import_torchlogix as import_torchlogix
from .logic.lowering import lower as lower
from .logic.network.conv import LogicConv2d as LogicConv2d
from .logic.network.heads import GroupSum as GroupSum
from .logic.network.layers import LogicLayer as LogicLayer
from .logic.network.network import LogicNetwork as LogicNetwork
from .logic.sklearn import LogicClassifier as LogicClassifier
from .logic.sklearn import LogicRegressor as LogicRegressor
from .logic.training.training import train as train
from .passes import optimize as optimize
from .workflow.circuits import load_circuit as load_circuit
from .workflow.predict import predict as predict

__version__: str
