"""Data: named sources and files to training, validation and test splits; encoders from features to bits."""

from .columns import Columns
from .datasets import Dataset, Split, load_dataset
from .encoders import ENCODERS, Encoder, fit_encoder

__all__ = ["ENCODERS", "Columns", "Dataset", "Encoder", "Split", "fit_encoder", "load_dataset"]
