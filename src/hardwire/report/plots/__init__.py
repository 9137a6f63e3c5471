"""Plots of a record as inline SVG in the page's colours, a module for what every run has and one for each hardware."""

from .common import confusion_matrix, energy_scale, learning_curve
from .crossbar import crossbar_curves, crossbar_losses, device_histogram, layer_map, update_fidelity
from .flows import critical_path, latency_by_area, tables_by_stage
from .front import front_plot
from .logic import (
    accuracy_by_gates,
    fan_out,
    gates_by_kind,
    gates_by_level,
    gates_by_stage,
    reads_of_features,
    reads_of_pixels,
)
from .spiking import accuracy_by_share, activity, array_map, raster, receptive_fields, spiking_curve, wear_map

__all__ = [
    "accuracy_by_gates",
    "accuracy_by_share",
    "activity",
    "array_map",
    "confusion_matrix",
    "critical_path",
    "crossbar_curves",
    "crossbar_losses",
    "device_histogram",
    "energy_scale",
    "fan_out",
    "front_plot",
    "gates_by_kind",
    "gates_by_level",
    "gates_by_stage",
    "latency_by_area",
    "layer_map",
    "learning_curve",
    "raster",
    "reads_of_features",
    "reads_of_pixels",
    "receptive_fields",
    "spiking_curve",
    "tables_by_stage",
    "update_fidelity",
    "wear_map",
]
