"""The audio encoders by name."""

from stages.models.encoders.base import Encoder
from stages.models.encoders.cnn14 import Cnn14
from stages.models.encoders.small import Small

ENCODERS: dict[str, type[Encoder]] = {"small": Small, "cnn14": Cnn14}
