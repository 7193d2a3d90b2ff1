"""Sources, ontologies and labels that cannot be prepared: what is said, and that nothing is left."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ontology.errors import OntologyError
from stages.errors import SpaError, UsageError
from stages.prepare.settings import PrepareSummary

Prepare = Callable[..., PrepareSummary]
WriteTone = Callable[[Path], None]


def refused(prepare: Prepare, *args: object, **settings: object) -> UsageError:
    with pytest.raises(UsageError) as raised:
        prepare(*args, **settings)
    return raised.value


def test_a_source_that_is_none(tmp_path: Path, prepare: Prepare) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a.wav").touch()
    assert "none does not exist" in refused(prepare, tmp_path / "none").message
    assert "empty is empty" in refused(prepare, tmp_path / "empty").message
    assert "has no known layout" in refused(prepare, tmp_path / "other").message
    assert (
        "source and workspace" in refused(prepare, tmp_path / "other", tmp_path / "other").message
    )
    assert not (tmp_path / "workspace").exists()


def test_no_ontology(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone, ontology: Path
) -> None:
    write_tone(tmp_path / "data/dog/1-100-A.wav")  # of ESC: its classes are AudioSet's ids
    for given in (None, tmp_path / "data/ontology.json"):
        error = refused(prepare, tmp_path / "data", ontology=given)
        assert "data/ontology.json is no file" in error.message
        assert error.next_step == "name one with --ontology"
    shutil.copyfile(ontology, tmp_path / "data/ontology.json")
    assert prepare(tmp_path / "data", ontology=None).rejects == {}


def test_a_broken_ontology(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone, ontology: Path
) -> None:
    write_tone(tmp_path / "data/dog/a.wav")
    ontology.write_text("[{")
    with pytest.raises(SpaError, match="is broken JSON") as raised:
        prepare(tmp_path / "data")
    assert isinstance(raised.value.__cause__, OntologyError)


def audioset(root: Path) -> Path:
    """One segment, and a label list of one label that no ontology has."""
    root.mkdir()
    (root / "class_labels_indices.csv").write_text("index,mid,display_name\n0,/m/unheard,X\n")
    (root / "eval_segments.csv").write_text("a, 0, 10, /m/unheard\n")
    (root / "a.wav").touch()
    return root


def test_labels_that_the_ontology_lacks(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone
) -> None:
    source = audioset(tmp_path / "as")
    with pytest.raises(SpaError, match="/m/unheard"):
        prepare(source)
    write_tone(tmp_path / "data/quokka/a.wav")
    with pytest.raises(SpaError, match="gave no clip: 1 unknown_label") as raised:
        prepare(tmp_path / "data")
    assert "quokka/a.wav: 'quokka' is no label" in str(raised.value.next_step)
    assert not (tmp_path / "workspace").exists()


def test_a_class_map_for_ids(tmp_path: Path, prepare: Prepare) -> None:
    own = tmp_path / "map.csv"
    own.write_text("class,mids\n")
    source = audioset(tmp_path / "as")
    assert "labelled with ids" in refused(prepare, source, class_map=own).message


def test_no_clip_could_be_taken(tmp_path: Path, prepare: Prepare, shared: Path) -> None:
    with pytest.raises(SpaError, match="gave no clip: 42531 missing") as raised:
        prepare(shared / "data/audioset", ontology=None)
    step = "see to the files, such as balanced_train_segments.csv:10: no file has this name"
    assert raised.value.next_step == step
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/eval_segments.csv").write_text("# YTID, start, end, labels")
    (tmp_path / "lists/class_labels_indices.csv").write_text("index,mid,display_name\n0,/m/dog,Dog")
    with pytest.raises(SpaError, match="gave no clip: its lists name none"):
        prepare(tmp_path / "lists")
    (tmp_path / "data/dog").mkdir(parents=True)
    (tmp_path / "data/dog/a.wav").touch()
    (tmp_path / "data/notes.txt").touch()
    with pytest.raises(SpaError, match="gave no clip: 1 empty, 1 not_audio"):
        prepare(tmp_path / "data")
    assert not (tmp_path / "workspace").exists()


def test_what_is_not_ours_is_not_replaced(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone
) -> None:
    """A source, or anything else of the user's, that is called like an output."""
    for name in ("a", "b", "c"):
        write_tone(tmp_path / f"w/audio/dog/{name}.wav")
    write_tone(tmp_path / "data/dog/a.wav")
    before = sorted((tmp_path / "w").rglob("*"))
    error = refused(prepare, tmp_path / "w/audio", tmp_path / "w")
    assert "lies in" in error.message
    error = refused(prepare, tmp_path / "data", tmp_path / "w")
    assert "w/audio is there already" in error.message
    assert sorted((tmp_path / "w").rglob("*")) == before
    prepare(tmp_path / "data")
    error = refused(prepare, tmp_path / "workspace/audio", layout="huggingface")
    assert "lies in" in error.message
    prepare(tmp_path / "data", valid_share=0.2)


def test_options_that_contradict_each_other(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone
) -> None:
    write_tone(tmp_path / "data/dog/a.wav")
    manifest = tmp_path / "data/manifest.csv"
    manifest.write_text("path,labels\ndog/a.wav,dog\n")
    none = tmp_path / "none"
    for settings, said in (
        ({"manifest": none}, "--manifest .*none is no file"),
        ({"class_map": none}, "--class-map .*none is no file"),
        ({"labels": none}, "--labels .*none is no file"),
        ({"min_clip_seconds": 2, "max_clip_seconds": 1}, "is more than --max-clip-seconds 1"),
        ({"manifest": manifest, "layout": "folder"}, "is a manifest, and --layout is folder"),
        ({"class_map": manifest, "ontology": None}, "there is no ontology"),
    ):
        with pytest.raises(UsageError, match=said):
            prepare(tmp_path / "data", **settings)
    with pytest.raises(UsageError, match="--manifest names another"):
        prepare(manifest, manifest=manifest)
    assert not (tmp_path / "workspace").exists()


def test_lists_that_name_nothing_that_is_there(tmp_path: Path, prepare: Prepare) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "manifest.csv").write_text("path,labels\nx.wav,a\ny.wav,b\n")
    with pytest.raises(SpaError, match="gave no clip: 2 missing"):
        prepare(root, ontology=None)
    (root / "manifest.csv").write_text("path,labels\n")
    with pytest.raises(SpaError, match="its lists name none"):
        prepare(root, ontology=None)
