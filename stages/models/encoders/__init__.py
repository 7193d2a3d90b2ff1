"""The audio encoders by name."""

from stages.models.encoders.ast import Ast
from stages.models.encoders.base import Encoder
from stages.models.encoders.cnn14 import Cnn14
from stages.models.encoders.cnn14_16k import Cnn14At16kHz
from stages.models.encoders.dymn import Dymn10
from stages.models.encoders.efficientnet_b2 import EfficientNetB2
from stages.models.encoders.htsat import Htsat
from stages.models.encoders.mobilenet import Mn04, Mn10, Mn40
from stages.models.encoders.passt import Passt
from stages.models.encoders.small import Small

ENCODERS: dict[str, type[Encoder]] = {
    "small": Small,
    "cnn14": Cnn14,
    "cnn14_16k": Cnn14At16kHz,
    "efficientnet_b2": EfficientNetB2,
    "ast": Ast,
    "passt": Passt,
    "mn04": Mn04,
    "mn10": Mn10,
    "mn40": Mn40,
    "dymn10": Dymn10,
    "htsat": Htsat,
}
