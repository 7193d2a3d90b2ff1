"""Published checkpoints by short name: where they are, how large, and what their bytes hash to.

Sizes and hashes are given where they are certain; the address alone where they are not.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import unquote, urlsplit

from stages.errors import UsageError

_EFFICIENTAT = "https://github.com/fschmid56/EfficientAT/releases/download/v0.0.1"
_PANNS = "https://zenodo.org/records/3987831/files"
_PASST = "https://github.com/kkoutini/PaSST/releases/download"


@dataclass(frozen=True)
class PublishedFile:
    """One published checkpoint.

    Attributes:
        name: `FAMILY:MODEL`.
        encoder: what it is of.
        url: where its authors published it.
        size_bytes: of the file; None: not known.
        sha256: in hex; None: not known.
    """

    name: str
    encoder: str
    url: str
    size_bytes: int | None = None
    sha256: str | None = None

    @property
    def file_name(self) -> str:
        """What its authors call the file."""
        return unquote(urlsplit(self.url).path.rpartition("/")[2])


_FILES = (
    PublishedFile(
        "efficientat:mn04_as",
        "mn04",
        f"{_EFFICIENTAT}/mn04_as_mAP_432.pt",
        4_066_513,
        "899a8c6217063f6941793102a2780b3dd788ab11fce468d9cf5f0577c453321c",
    ),
    PublishedFile(
        "efficientat:mn10_as",
        "mn10",
        f"{_EFFICIENTAT}/mn10_as_mAP_471.pt",
        19_708_753,
        "0bd7dc2443af498c289a2e739f02ebb515d6aa3fd3ab9db539c86123ae368a4e",
    ),
    PublishedFile("efficientat:mn40_as", "mn40", f"{_EFFICIENTAT}/mn40_as_mAP_484.pt"),
    PublishedFile("efficientat:dymn10_as", "dymn10", f"{_EFFICIENTAT}/dymn10_as.pt"),
    PublishedFile(
        "panns:cnn14",
        "cnn14",
        f"{_PANNS}/Cnn14_mAP%3D0.431.pth",
        327_428_481,
        "0dc499e40e9761ef5ea061ffc77697697f277f6a960894903df3ada000e34b31",
    ),
    PublishedFile(
        "panns:cnn14_16k",
        "cnn14_16k",
        f"{_PANNS}/Cnn14_16k_mAP%3D0.438.pth",
        358_668_570,
        "e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6",
    ),
    PublishedFile(
        "psla:as_mdl_0_wa",
        "efficientnet_b2",
        "https://www.dropbox.com/s/ieggie0ara4x26d/as_mdl_0_wa.pth?dl=1",
    ),
    PublishedFile(
        "ast:10-10-0.4593",
        "ast",
        "https://www.dropbox.com/s/ca0b1v2nlxzyeb4/audioset_10_10_0.4593.pth?dl=1",
    ),
    PublishedFile(
        "passt:ap476-swa",
        "passt",
        f"{_PASST}/v0.0.1-audioset/passt-s-f128-p16-s10-ap.476-swa.pt",
        344_665_734,
        "302903fa8c4aee817b11dc982da0b29aaf8d11a3e722420476d0a12c9db70c2c",
    ),
)

_SHOWN_LETTERS = 80
PUBLISHED = {file.name: file for file in _FILES}
"""By short name. HTS-AT's authors publish a folder to pick from by hand: give its file itself."""


def published_file(name: str) -> PublishedFile:
    """Look up a short name.

    Raises:
        UsageError: no published file is called so.
    """
    if name in PUBLISHED:
        return PUBLISHED[name]
    close = get_close_matches(name, PUBLISHED, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    shown = name if len(name) <= _SHOWN_LETTERS else f"{name[:_SHOWN_LETTERS]}..."
    raise UsageError(
        f"no published checkpoint is called '{shown}'{hint}", f"use one of {', '.join(PUBLISHED)}"
    )
