"""Read the audio of what libsndfile does not know by FFmpeg: MP3, MP4, WebM, ASF and more."""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from stages.audio.blocks import Block, check_rate, mean_of_channels, unreadable
from stages.audio.mpeg_frames import is_cut

if TYPE_CHECKING:  # takes 70 ms, which a data set of WAV files need not spend
    import av
    from av.container import InputContainer

# The decoders that may run at all, also while FFmpeg looks into a file: none for pictures.
_DECODERS = (
    "aac", "aac_fixed", "aac_latm", "ac3", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "adpcm_swf",
    "adpcm_yamaha", "alac", "amrnb", "amrwb", "ape", "eac3", "flac", "gsm", "gsm_ms", "mp1", "mp1float",
    "mp2", "mp2float", "mp3", "mp3float", "nellymoser", "opus", "pcm_alaw", "pcm_f32be", "pcm_f32le",
    "pcm_f64be", "pcm_f64le", "pcm_mulaw", "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s24le",
    "pcm_s32be", "pcm_s32le", "pcm_s8", "pcm_u8", "speex", "tta", "vorbis", "wavpack", "wmalossless",
    "wmapro", "wmav1", "wmav2", "wmavoice",
)  # fmt: skip
_OPTIONS = {
    "codec_whitelist": ",".join(_DECODERS),
    "protocol_whitelist": "none",  # no file but this one, and no network
}
# Streams of frames without a container: one that was cut ends in part of a frame.
_BARE = ("aac", "mp3")
# Broken frames of these are errors, rather than noise. (MP3's are often wrong in good files.)
_WITH_CHECKSUMS = ("ac3", "eac3", "flac", "tta", "wavpack")
_BLOCK_SAMPLES = 1 << 15
_SCALES = {"u1": 1 / 128, "i2": 1 / 32768, "i4": 1 / 2147483648}


def read_blocks(file: BinaryIO, demuxer: str) -> Generator[Block, None, None]:
    """Read the first audio stream of a file from its start by the FFmpeg demuxer of that name.

    FFmpeg itself drops the samples that the container says are the encoder's delay or padding (MP4
    edit lists, LAME and Xing headers, Matroska's and Opus's pre-skip), so lengths are the
    container's. FFmpeg's log is silent.

    Raises:
        AudioError: "unreadable": no such container, no audio in it, or a packet that does not
            decode. The incomplete last frame of an MP3 or AAC file without container is passed over.
    """
    import av

    file.seek(0)
    options = {**_OPTIONS, "format_whitelist": demuxer}
    try:
        with av.open(
            file, "r", format=demuxer, metadata_errors="ignore", container_options=options
        ) as container:
            stream = _audio_stream(container)
            yield from _blocks(_frames(container, stream, demuxer))
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise unreadable(f"FFmpeg: {reason}") from error


def _audio_stream(container: "InputContainer") -> "av.AudioStream":
    if not container.streams.audio:
        raise unreadable("it holds no audio")
    stream = container.streams.audio[0]
    context = stream.codec_context
    if context is None or context.codec.name not in _DECODERS:
        raise unreadable("the encoding of its audio is not known")
    context.thread_count = 1
    if context.codec.name in _WITH_CHECKSUMS:
        context.options = {"err_detect": "crccheck+explode"}
    return stream


def _frames(
    container: "InputContainer", stream: "av.AudioStream", demuxer: str
) -> "Iterator[av.AudioFrame]":
    import av

    failed: Exception | None = None
    for packet in container.demux(stream):
        if failed is not None and packet.size:
            raise failed
        if packet.is_corrupt and not stream.codec_context.codec.name.startswith("pcm_"):
            raise unreadable("a packet is broken, or the file ends within it")
        if demuxer in _BARE and is_cut(bytes(packet)):
            failed = unreadable("a frame is broken")
            continue
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            failed = error
            continue
        yield from frames
    if failed is not None and demuxer not in _BARE:
        raise failed


def _blocks(frames: "Iterator[av.AudioFrame]") -> Iterator[Block]:
    """Join frames of one kind: many are so short that a block each would cost more than decoding."""
    kind: tuple[int, int, str] | None = None
    held: list[NDArray[Any]] = []
    samples = 0
    for frame in frames:
        kind_of_frame = frame.sample_rate, frame.layout.nb_channels, frame.format.name
        if kind is not None and held and (kind_of_frame != kind or samples >= _BLOCK_SAMPLES):
            yield _block(held, kind)
            held, samples = [], 0
        kind = kind_of_frame
        held.append(_channels(frame))
        samples += frame.samples
    if kind is not None and samples:
        yield _block(held, kind)


def _block(held: list[NDArray[Any]], kind: tuple[int, int, str]) -> Block:
    rate, channels, _ = kind
    check_rate(rate)
    return Block(mean_of_channels(_floats(np.concatenate(held, axis=1))), rate, channels)


def _channels(frame: "av.AudioFrame") -> NDArray[Any]:
    """(channels, samples), as the decoder gives them."""
    samples = frame.to_ndarray()
    if frame.format.is_planar:
        return samples
    return samples.reshape(-1, frame.layout.nb_channels).T


def _floats(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Scale so that full scale is at -1 and 1."""
    scale = _SCALES.get(samples.dtype.str[1:])
    floats = samples.astype(np.float32)
    if samples.dtype == np.uint8:
        floats -= 128
    return floats if scale is None else floats * np.float32(scale)
