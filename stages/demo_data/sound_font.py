"""The sound font and its renderer: both come with packages of the extra `demo`."""

import io
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soundfile

from stages.errors import SpaError
from stages.lineage import file_sha256

KNOWN_SHA256 = "82475b91a76de15cb28a104707d3247ba932e228bada3f47bba63c6b31aaf7a1"
_FILE, _PACKAGE, _RENDERER = "TimGM6mb.sf2", "pretty_midi", "midirenderer"


@dataclass(frozen=True)
class SoundFont:
    """A sound font file, named with the package that it came in."""

    path: Path
    name: str
    sha256: str


def find_sound_font() -> SoundFont:
    """Find the sound font, having made sure that it can be rendered.

    Raises:
        SpaError: a package of the extra `demo` is missing.
    """
    # The package itself is not imported: only the file in it is needed.
    package = find_spec(_PACKAGE)
    path = Path(package.origin).with_name(_FILE) if package and package.origin else None
    if path is None or not path.is_file():
        raise _missing(_PACKAGE)
    try:
        import midirenderer  # noqa: F401 - only to know that it can be
    except ImportError as error:
        raise _missing(_RENDERER) from error
    name = f"{_FILE} of {_PACKAGE} {metadata.version(_PACKAGE)}"
    return SoundFont(path, name, file_sha256(path))


def _missing(package: str) -> SpaError:
    return SpaError(
        f"the demonstration's sounds need the package {package}, which cannot be imported",
        'run `pip install "spa-audio[demo]"`; '
        "midirenderer has wheels for Linux x86-64, macOS arm64 and Windows x86-64 only",
    )


def render(sound_font: Path, midi: bytes) -> tuple[np.ndarray, int]:
    """Play a MIDI file: mono float32 samples `(samples,)` in [-1, 1], and their rate in Hz."""
    import midirenderer

    wav = midirenderer.render_wave_from(_content(sound_font), midi)
    stereo, sample_rate = soundfile.read(io.BytesIO(wav), dtype="float32", always_2d=True)
    return (stereo[:, 0] + stereo[:, -1]) / 2, sample_rate


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()
