"""What stands around the devices: converters and their noise, and the blocks of a chip.

A layer of more rows than a block is spread over blocks below each other: each makes its own current, which is converted
and summed digitally; likewise backward over blocks beside each other.
"""

from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple

from ..core.errors import InputError


class Converters(NamedTuple):
    """``Periphery`` as the kernels read it; a step of 0 does not round, a bound of 0 does not cut."""

    input_step: float
    input_noise: float
    output_step: float
    output_noise: float
    output_bound: float
    manage_noise: bool
    manage_bound: bool


@dataclass(frozen=True, kw_only=True)
class Periphery:
    """Converters and noise of one direction; outputs are in weights times inputs at full scale 1.

    Inputs are divided by the largest of them, cut to [-1, 1], rounded, and get noise; the current gets noise, is cut at
    its bound, rounded, and multiplied back.

    Parameters
    ----------
    input_bits, output_bits
        Resolution of the converters; 0 does not round.
    input_noise, output_noise
        Standard deviations.
    output_bound
        Largest magnitude of an output; 0: none.
    manage_noise
        Divide inputs by the largest of them.
    manage_bound
        Read again with inputs half as large where an output met its bound.
    """

    input_bits: int = 7
    input_noise: float = 0.0
    output_bits: int = 9
    output_noise: float = 0.0
    output_bound: float = 0.0
    manage_noise: bool = True
    manage_bound: bool = True

    def __post_init__(self) -> None:
        for name in ("input_bits", "output_bits"):
            bits = getattr(self, name)
            if isinstance(bits, bool) or not isinstance(bits, int) or not (bits == 0 or 2 <= bits <= 24):
                raise InputError(f"periphery: {name} = {bits!r}; give 2 to 24 bits, or 0 for no rounding")
        for name in ("input_noise", "output_noise", "output_bound"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise InputError(f"periphery: {name} = {value}; give a finite number of 0 or more")
        if self.output_bits and not self.output_bound:
            raise InputError(f"periphery: output_bits = {self.output_bits} without output_bound; give the bound that "
                             "it spans")

    def converters(self) -> Converters:
        """Return what the kernels read."""
        input_step = 2 / (2**self.input_bits - 2) if self.input_bits else 0.0
        output_step = 2 * self.output_bound / (2**self.output_bits - 2) if self.output_bits else 0.0
        return Converters(input_step, float(self.input_noise), output_step, float(self.output_noise),
                          float(self.output_bound),
                          bool(self.manage_noise), bool(self.manage_bound))


#: Presets by name; the numbers are those of aihwkit's presets (read).
PERIPHERIES = {
    "ideal": Periphery(input_bits=0, output_bits=0, manage_noise=False, manage_bound=False),
    "default": Periphery(input_bits=7, output_bits=9, output_bound=20.0, output_noise=0.1),
    "standard": Periphery(input_bits=8, output_bits=8, output_bound=10.0, output_noise=0.04),
}


@dataclass
class Chip:
    """A budget of blocks that layers are placed on, side by side and one after another.

    Parameters
    ----------
    blocks
        How many there are.
    rows, columns
        Synapses of a block.
    placed
        Name, rows and columns of each layer on the chip.
    """

    blocks: int = 64
    rows: int = 512
    columns: int = 512
    placed: list[tuple[str, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("blocks", "rows", "columns"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"chip: {name} = {value!r}; give a whole number of at least 1")

    @property
    def used(self) -> int:
        """Blocks that the placed layers take."""
        return sum(self.needs(n, m) for _, n, m in self.placed)

    def needs(self, n: int, m: int) -> int:
        """Count the blocks of a layer of ``n`` rows and ``m`` columns."""
        return ceil(n / self.rows) * ceil(m / self.columns)

    def place(self, name: str, n: int, m: int) -> None:
        """Take the blocks of a layer; InputError when the chip has too few left."""
        needed, left = self.needs(n, m), self.blocks - self.used
        if needed > left:
            raise InputError(f"layer {name} of {n} x {m} synapses needs {needed} blocks of {self.rows} x "
                             f"{self.columns}, the "
                             f"chip has {left} of {self.blocks} left; make the layer smaller, or give a chip of more "
                             "blocks")
        self.placed.append((name, n, m))
