"""Class names to ontology ids: the maps that the project carries, and a user's own."""

import csv
import json
from pathlib import Path

import pytest

from ontology.build import build_ontology
from ontology.database import open_ontology
from ontology.json_file import read_ontology_json
from ontology.nodes import Node, nodes
from stages.errors import ArtifactError
from stages.prepare.class_map import class_key, flat_ontology, read_class_map, resolve_labels

MAPS = Path(__file__).parents[3] / "stages/prepare/class_maps"


@pytest.fixture(scope="module")
def audioset_nodes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Node]:
    database = tmp_path_factory.mktemp("ontology") / "ontology.duckdb"
    build_ontology(shared / "data/audioset/ontology.json", database)
    with open_ontology(database) as connection:
        return nodes(connection)


@pytest.mark.parametrize(("name", "classes"), [("esc50", 54), ("urbansound8k", 10)])
def test_carried_maps_name_labels_of_audioset(shared: Path, name: str, classes: int) -> None:
    with (shared / "data/audioset/class_labels_indices.csv").open() as file:
        known = {row["mid"] for row in csv.DictReader(file)}
    found = read_class_map(MAPS / f"{name}.csv")
    assert len(found) == classes  # ESC-10's folders spell four classes in a way of their own
    assert {mid for mids in found.values() for mid in mids} <= known


def test_esc10_is_mapped_as_its_readme_judges(shared: Path, audioset_nodes: list[Node]) -> None:
    folders = sorted(path.name for path in (shared / "data/esc10").iterdir() if path.is_dir())
    classes = [folder.partition(" - ")[2] for folder in folders]
    found = resolve_labels(classes, None, "esc50", audioset_nodes)
    assert found == {
        "Dog bark": ("/m/05tny_",),
        "Rain": ("/m/06mb1",),
        "Sea waves": ("/m/034srq",),
        "Baby cry": ("/t/dd00002",),
        "Clock tick": ("/m/07qjznl",),
        "Person sneeze": ("/m/01hsr_",),
        "Helicopter": ("/m/09ct_",),
        "Chainsaw": ("/m/01j4z9",),
        "Rooster": ("/m/07qn5dc",),
        "Fire crackling": ("/m/07pzfmf",),
    }


SMALL = [
    Node("/m/rain", "Rain", "", ()),
    Node("/m/dog", "Dog", "", ()),
    Node("/m/bark", "Bark", "", ()),
    Node("/m/tap1", "Tap", "", ()),
    Node("/m/tap2", "Tap", "", ()),
    Node("Own_Id", "Something, or other", "", ()),
]


def test_names_and_ids_of_the_ontology() -> None:
    labels = ("RAIN", "something,_or other", "own id", "Own_Id", "/m/dog")
    assert resolve_labels(labels, None, None, SMALL) == {
        "RAIN": ("/m/rain",),
        "something,_or other": ("Own_Id",),
        "own id": ("Own_Id",),
        "Own_Id": ("Own_Id",),
        "/m/dog": ("/m/dog",),
    }


def test_ids_are_compared_as_they_are() -> None:
    nodes = [Node("/m/05tny_", "Bark", "", ()), Node("/m/05tny", "Other", "", ())]
    found = resolve_labels(("/m/05tny_", "/m/05tny", "/M/05tny"), None, None, nodes)
    assert found == {"/m/05tny_": ("/m/05tny_",), "/m/05tny": ("/m/05tny",)}


def test_decomposed_names() -> None:
    """As macOS writes the names of folders."""
    assert class_key("Be\u0301be\u0301 _x") == class_key("b\u00e9b\u00e9 X")


def test_ones_own_map_comes_first(tmp_path: Path) -> None:
    own = tmp_path / "map.csv"
    own.write_text("mids,class,note\n/m/bark ;/m/dog,Dog_Bark,x\n/m/dog,rain,\n/m/bark,RAIN,\n")
    found = resolve_labels(("dog bark", "rain"), own, "esc50", SMALL)
    assert found == {"dog bark": ("/m/dog", "/m/bark"), "rain": ("/m/dog", "/m/bark")}


def test_a_label_without_a_place() -> None:
    assert resolve_labels(("Tap", "rain", "Quokka", "", ","), None, None, SMALL) == {
        "rain": ("/m/rain",)
    }


def test_commas_part_what_is_no_name() -> None:
    labels = (
        "Dog,Rain",
        "rain, Something, or other,bark",
        "Dog,Quokka",
        "Dog,",
        ",".join(["quokka"] * 60_000),
    )
    assert resolve_labels(labels, None, None, SMALL) == {
        "Dog,Rain": ("/m/rain", "/m/dog"),
        "rain, Something, or other,bark": ("/m/rain", "/m/bark", "Own_Id"),
    }


def test_commas_of_audiosets_names(audioset_nodes: list[Node]) -> None:
    label = "Male speech, man speaking,Speech, Rain"
    mids = resolve_labels((label,), None, None, audioset_nodes)[label]
    assert set(mids) == {"/m/05zppz", "/m/09x0r", "/m/06mb1"}


def test_a_map_to_what_the_ontology_lacks(tmp_path: Path) -> None:
    own = tmp_path / "map.csv"
    own.write_text("class,mids\nquokka,/m/rain;/m/unheard\n")
    with pytest.raises(ArtifactError, match="'quokka' maps to '/m/unheard'"):
        resolve_labels(("quokka",), own, None, SMALL)
    assert resolve_labels(("rain",), own, None, SMALL) == {"rain": ("/m/rain",)}


def test_the_projects_map_gives_way_to_ones_own_ontology() -> None:
    """ESC-50's dog is Bark, /m/05tny_, which this ontology lacks: it has a Dog."""
    assert resolve_labels(("dog", "rooster"), None, "esc50", SMALL) == {"dog": ("/m/dog",)}


def test_a_flat_ontology(tmp_path: Path) -> None:
    labels = ["dog", "Dog", "/m/05tny_", "sea waves", "Sea_Waves", "a, b"]
    nodes = flat_ontology(iter(labels))
    assert [node["id"] for node in nodes] == ["/m/05tny_", "Dog", "Sea_Waves", "a, b"]
    path = tmp_path / "flat.json"
    path.write_text(json.dumps(nodes))
    entries = read_ontology_json(path)
    assert all(entry.child_mids == () for entry in entries)
    built = [Node(entry.mid, entry.name, "", ()) for entry in entries]
    assert resolve_labels(labels, None, None, built) == {
        "dog": ("Dog",),
        "Dog": ("Dog",),
        "/m/05tny_": ("/m/05tny_",),
        "sea waves": ("Sea_Waves",),
        "Sea_Waves": ("Sea_Waves",),
        "a, b": ("a, b",),
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("class;mids\n", "has no column 'class'"),
        ("class,mids\ndog\n", "line 2 needs a class"),
        ("class,mids\ndog, ;\n", "line 2 needs a class"),
        ("class,mids\n_,/m/dog\n", "line 2 needs a class"),
    ],
)
def test_a_map_that_is_none(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "map.csv").write_text(content)
    with pytest.raises(ArtifactError, match=said):
        read_class_map(tmp_path / "map.csv")


def test_no_map_at_all(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"map.csv cannot be read: No such file"):
        read_class_map(tmp_path / "map.csv")
