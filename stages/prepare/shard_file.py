"""The Parquet file that a shard is: its schema, how it is written, a clip as a row of it."""

import json
import re
import struct

import pyarrow as pa

from stages.audio.clip_codec import Codec
from stages.schemas import AUDIO

# FLAC does not compress further, and statistics of it would only swell the footer.
PARQUET_OPTIONS = {"compression": "none", "use_dictionary": False, "write_statistics": False}
_NOT_IN_A_FILE_NAME = re.compile(r'[\x00-\x1f\x7f"%*/:<>?\\|]|^\.')


def shard_schema(metadata: dict[bytes, bytes], sample_rate: int) -> pa.Schema:
    """The schema of a shard's file: `metadata`, and that by which Hugging Face `datasets` takes the
    column for audio at `sample_rate` Hz when it loads the folder.
    """
    features = {
        "clip_id": {"dtype": "string", "_type": "Value"},
        "audio": {"sampling_rate": sample_rate, "_type": "Audio"},
    }
    info = json.dumps({"info": {"features": features}}).encode()
    return AUDIO.with_metadata({**metadata, b"huggingface": info})


def file_name(clip_id: str, extension: str) -> str:
    """A name under which a clip can be saved in any folder.

    Separators, control characters and what Windows forbids, and a dot in front, are written as `%`
    and two hexadecimal digits, and so is `%` itself: no two clips share a name, and
    `urllib.parse.unquote` gives the id back.
    """
    safe = _NOT_IN_A_FILE_NAME.sub(lambda found: f"%{ord(found[0]):02X}", clip_id)
    return f"{safe}.{extension}"


def clip_row(clip_id: str, encoded: bytes, codec: Codec, schema: pa.Schema) -> pa.RecordBatch:
    """A clip as a row of `schema`, without a copy of its bytes."""
    audio = pa.StructArray.from_arrays(
        [_one(encoded, pa.binary()), _one(file_name(clip_id, codec).encode(), pa.string())],
        fields=list(schema.field("audio").type),
    )
    return pa.RecordBatch.from_arrays([_one(clip_id.encode(), pa.string()), audio], schema=schema)


def _one(value: bytes, kind: pa.DataType) -> pa.Array:
    """An array of one value. `pa.array` would import pandas, where it is, into every worker."""
    offsets = pa.py_buffer(struct.pack("=ii", 0, len(value)))
    return pa.Array.from_buffers(kind, 1, [None, offsets, pa.py_buffer(value)])
