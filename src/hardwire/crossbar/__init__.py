"""Training in analog memory: fully connected networks whose weights are conductances (Ambrogio et al. 2018).

Names are resolved on first use, so that a part is had without torch or a kernel that it does not need.
"""

from ..core.extras import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
