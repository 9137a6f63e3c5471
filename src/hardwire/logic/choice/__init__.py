"""Settings chosen from the data: a few numbers of the training split, and rules from them to a network's settings."""

from .choose import Choice as Choice
from .choose import choice_of as choice_of
from .choose import choose as choose
from .features import DataFeatures as DataFeatures
from .features import features_of as features_of
from .rules import Effort as Effort
