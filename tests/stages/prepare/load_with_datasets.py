"""Load an audio folder with Hugging Face `datasets`, as somebody without this project would.

Arguments: the folder, and where to write what was heard: an .npz file with, for every clip id, the
array that `datasets` decodes ("decoded ID"), what soundfile decodes of the bytes that `datasets`
gives ("stored ID"), and the sample rates in Hz ("rates").
"""

import io
import socket
import sys

import numpy as np
import soundfile as sf
from datasets import Audio, load_dataset


def refuse(*args: object) -> None:
    raise AssertionError(f"the network was reached for: {args}")


def main(folder: str, heard: str) -> None:
    socket.socket.connect = refuse
    clips = load_dataset("parquet", data_files=f"{folder}/*.parquet", split="train")
    if not isinstance(clips.features["audio"], Audio):
        sys.exit(f"the column audio is {clips.features['audio']}, and not Audio")
    stored = clips.cast_column("audio", Audio(decode=False))
    arrays, rates = {}, {clips.features["audio"].sampling_rate}
    for clip, undecoded in zip(clips, stored, strict=True):
        name, audio, encoded = clip["clip_id"], clip["audio"], undecoded["audio"]["bytes"]
        arrays[f"decoded {name}"] = audio["array"]
        arrays[f"stored {name}"], rate = sf.read(io.BytesIO(encoded), dtype="float32")
        rates |= {audio["sampling_rate"], rate}
    np.savez(heard, rates=sorted(rates), **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
