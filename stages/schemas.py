"""The schema of every Parquet artifact. No Parquet file leaves without one of these.

List children are called `element`, as the Parquet specification asks; every field has a `doc`.
"""

import pyarrow as pa


def _field(name: str, kind: pa.DataType, doc: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"doc": doc})


def _list(kind: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", kind, nullable=False))


CLIPS = pa.schema(
    [
        _field("clip_id", pa.string(), "unique name of the clip in this workspace"),
        _field("split", pa.string(), "train, valid or eval"),
        _field(
            "fold", pa.int32(), "fold of the published data set, where it has folds", nullable=True
        ),
        _field(
            "recording_id",
            pa.string(),
            "the recording that the clip was cut from; takes of one recording share it",
        ),
        _field("mids", _list(pa.string()), "labels of the clip as ontology ids, in label order"),
        _field(
            "label_indices",
            _list(pa.int32()),
            "the same labels as label_index of labels.parquet, ascending",
        ),
        _field("duration_seconds", pa.float64(), "length of the stored audio"),
        _field(
            "source_path",
            pa.string(),
            "file in the source folder, relative, with forward slashes; of a row of a Parquet file: FILE:ROW, rows from 0",
        ),
        _field(
            "start_seconds",
            pa.float64(),
            "where in the source the clip begins; null: the clip is all of it",
            nullable=True,
        ),
        _field(
            "end_seconds",
            pa.float64(),
            "where in the source the clip ends; null: at its end",
            nullable=True,
        ),
        _field("source_sha256", pa.string(), "SHA-256 of the source's bytes"),
        _field("source_sample_rate", pa.int32(), "sample rate of the source file in Hz"),
        _field(
            "peak_dbfs",
            pa.float64(),
            "largest absolute sample of the mono signal in dB of full scale; null: digital silence",
            nullable=True,
        ),
        _field(
            "rms_dbfs",
            pa.float64(),
            "root mean square of the mono signal in dB of full scale; null: digital silence",
            nullable=True,
        ),
        _field(
            "dc_offset",
            pa.float64(),
            "mean of the mono signal before resampling; full scale is 1",
        ),
        _field(
            "clipped_share",
            pa.float64(),
            "share of the mono signal's samples, before resampling, that are at full scale or beyond",
        ),
        _field("shard", pa.string(), "file of the audio folder that holds the clip"),
        _field("row", pa.int32(), "row of the clip in its shard"),
        _field("audio_sha256", pa.string(), "SHA-256 of the clip's encoded bytes in its shard"),
    ]
)

LABELS = pa.schema(
    [
        _field("label_index", pa.int32(), "position of the label in scores and targets, from 0"),
        _field("mid", pa.string(), "id of the label in the ontology"),
        _field("display_name", pa.string(), "name for people"),
        _field("description", pa.string(), "the ontology's description"),
        _field(
            "path",
            _list(pa.string()),
            "names from a root of the ontology down to the label, along a shortest path",
        ),
        _field("parents", _list(pa.string()), "ids of the parents in the ontology"),
        _field("depth", pa.int32(), "edges from the nearest root of the ontology; a root has 0"),
        _field("clips_train", pa.int32(), "clips of the train split with this label"),
        _field("clips_valid", pa.int32(), "clips of the valid split with this label"),
        _field("clips_eval", pa.int32(), "clips of the eval split with this label"),
    ]
)

REJECTS = pa.schema(
    [
        _field("source_path", pa.string(), "file, or file and line, that gave no clip"),
        _field("clip_id", pa.string(), "the id that the clip would have had", nullable=True),
        _field("reason", pa.string(), "a code of the closed set in docs/prepare.md"),
        _field("detail", pa.string(), "the value that was wrong, in words"),
    ]
)

# Nullable where `datasets` has it so: only then it takes the column for audio.
AUDIO = pa.schema(
    [
        _field("clip_id", pa.string(), "unique name of the clip in this workspace"),
        _field(
            "audio",
            pa.struct(
                [
                    _field(
                        "bytes",
                        pa.binary(),
                        "the encoded file: FLAC or WAV, mono, one sample rate",
                        nullable=True,
                    ),
                    _field(
                        "path",
                        pa.string(),
                        "file name with the extension of the encoding",
                        nullable=True,
                    ),
                ]
            ),
            "the Audio feature of Hugging Face datasets",
            nullable=True,
        ),
    ]
)


def label_embeddings(dimensions: int) -> pa.Schema:
    """Schema of label_embeddings.parquet for text embeddings of `dimensions` values."""
    vector = pa.list_(pa.field("element", pa.float32(), nullable=False), dimensions)
    return pa.schema(
        [
            _field("label_index", pa.int32(), "label_index of labels.parquet"),
            _field("mid", pa.string(), "id of the label in the ontology"),
            _field("prompt", pa.string(), "the text that was embedded"),
            _field("embedding", vector, "text embedding of unit length"),
        ]
    )


SCORES = pa.schema(
    [
        _field("clip_id", pa.string(), "clip_id of clips.parquet"),
        _field("scores", _list(pa.float32()), "probability of each label, in label order"),
        _field("targets", _list(pa.int32()), "label_index of each label that is true, ascending"),
    ]
)

METRICS = pa.schema(
    [
        _field("metric", pa.string(), "name of the measure"),
        _field("label_index", pa.int32(), "the label measured; null: all labels", nullable=True),
        _field(
            "coarse_level",
            pa.int32(),
            "lambda of OmAP; null: does not apply, or the mean over levels",
            nullable=True,
        ),
        _field(
            "value",
            pa.float64(),
            "the measure; null: not defined (a label without positives, say)",
            nullable=True,
        ),
        _field(
            "ci_low",
            pa.float64(),
            "lower end of the 95 % bootstrap interval over clips",
            nullable=True,
        ),
        _field(
            "ci_high",
            pa.float64(),
            "upper end of the 95 % bootstrap interval over clips",
            nullable=True,
        ),
    ]
)

HISTORY = pa.schema(
    [
        _field("step", pa.int64(), "optimiser steps done"),
        _field("epoch", pa.int32(), "epochs begun, from 1"),
        _field("name", pa.string(), "what was measured, as split/measure"),
        _field("value", pa.float64(), "the value"),
    ]
)

FIXED = {
    "clips": CLIPS,
    "labels": LABELS,
    "rejects": REJECTS,
    "audio": AUDIO,
    "scores": SCORES,
    "metrics": METRICS,
    "history": HISTORY,
}
