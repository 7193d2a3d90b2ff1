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
    encoder.name: encoder
    for encoder in (
        Small,
        Cnn14,
        Cnn14At16kHz,
        EfficientNetB2,
        Ast,
        Passt,
        Mn04,
        Mn10,
        Mn40,
        Dymn10,
        Htsat,
    )
}
