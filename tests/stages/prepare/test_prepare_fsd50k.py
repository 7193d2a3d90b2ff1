"""FSD50K as it is on Zenodo, and as its mirror has it. The rows are from the published lists."""

from collections.abc import Callable

import pytest

from stages.errors import ArtifactError
from stages.prepare.layouts import fsd50k
from stages.prepare.layouts.detect import choose_layout
from stages.prepare.listing import Label, ListedClip, Reason
from stages.prepare.source import SourceFolder

Make = Callable[..., SourceFolder]
Find = Callable[..., tuple[list[ListedClip], dict[str, Reason]]]

VOCABULARY = (
    "0,Electric_guitar,/m/02sgy\n"
    "1,Guitar,/m/0342h\n"
    "2,Plucked_string_instrument,/m/0fx80y\n"
    "3,Musical_instrument,/m/04szw\n"
    "4,Music,/m/04rlf\n"
)
NAMES = "Electric_guitar,Guitar,Plucked_string_instrument,Musical_instrument,Music"
MIDS = "/m/02sgy,/m/0342h,/m/0fx80y,/m/04szw,/m/04rlf"
DEV = (
    "fname,labels,mids,split\n"
    f'64760,"{NAMES}","{MIDS}",train\n'
    f'345111,"{NAMES}","{MIDS}",val\n'
    '16399,Music,"/m/04rlf",train\n'
    '16401,Music,"/m/04rlf",holdout\n'
    "16402,,,train\n"
    ',Music,"/m/04rlf",train\n'
    "16404,Music\n"
    '16405,Rain,"/m/06mb1",train\n'
)
EVAL = 'fname,labels,mids\n37199,Music,"/m/04rlf"\n64760,Music,"/m/04rlf"\n'


def test_fsd50k_as_published(make_source: Make, find: Find) -> None:
    lists = {"vocabulary": VOCABULARY, "dev": DEV, "eval": EVAL}
    files = {f"FSD50K.ground_truth/{name}.csv": text for name, text in lists.items()}
    dev = (64760, 345111, 16401, 16402, 16405, 777)
    audio = [f"FSD50K.dev_audio/{fname}.wav" for fname in dev]
    audio += ["FSD50K.eval_audio/37199.flac", "FSD50K.metadata/dev_clips_info_FSD50K.json"]
    source = make_source(**files, **dict.fromkeys(audio, ""))
    assert choose_layout(source, "auto").name == "fsd50k"
    listing = fsd50k.scan(source)
    clips, reasons = find(source, listing)
    dev_csv, eval_csv = "FSD50K.ground_truth/dev.csv", "FSD50K.ground_truth/eval.csv"
    assert clips == [
        ListedClip("37199", audio[6], f"{eval_csv}:2", ("/m/04rlf",), "37199", split="eval"),
        # It is in eval.csv too: held out.
        ListedClip("64760", audio[0], f"{eval_csv}:3", ("/m/04rlf",), "64760", split="eval"),
        ListedClip(
            "345111",
            audio[1],
            f"{dev_csv}:3",
            tuple(sorted(MIDS.split(","))),
            "345111",
            split="valid",
        ),
    ]
    assert listing.label_list is not None
    assert listing.label_list[2] == Label("/m/0fx80y", "Plucked string instrument")
    assert len(listing.label_list) == 5
    assert reasons == {
        f"{dev_csv}:2": Reason.DUPLICATE_ID,
        f"{dev_csv}:4": Reason.MISSING,
        f"{dev_csv}:5": Reason.MALFORMED_ROW,
        f"{dev_csv}:7": Reason.MALFORMED_ROW,
        f"{dev_csv}:8": Reason.MALFORMED_ROW,
        audio[3]: Reason.NO_LABEL,
        audio[4]: Reason.UNKNOWN_LABEL,
        audio[2]: Reason.NOT_LISTED,
        audio[5]: Reason.NOT_LISTED,
        audio[7]: Reason.NOT_AUDIO,
    }


def test_the_mirror_on_the_hub(make_source: Make, find: Find) -> None:
    source = make_source(
        **{"labels/vocabulary.csv": VOCABULARY, "labels/eval.csv": EVAL, "clips/eval/37199.wav": ""}
    )
    assert choose_layout(source, "auto").name == "fsd50k"
    clips, reasons = find(source, fsd50k.scan(source))
    assert [(clip.path, clip.split) for clip in clips] == [("clips/eval/37199.wav", "eval")]
    assert reasons == {"labels/eval.csv:3": Reason.MISSING}


@pytest.mark.parametrize(
    ("vocabulary", "said"),
    [
        ("", "has no labels"),
        ("0,Music\n", "line 1: .* is no index, name and mid"),
        ("0,Music,/m/04rlf\n1,Song,/m/04rlf\n", "line 2: .* is no index, name and mid"),
    ],
)
def test_a_vocabulary_that_is_none(make_source: Make, vocabulary: str, said: str) -> None:
    source = make_source(**{"labels/vocabulary.csv": vocabulary, "labels/eval.csv": EVAL})
    with pytest.raises(ArtifactError, match=said):
        fsd50k.scan(source)
