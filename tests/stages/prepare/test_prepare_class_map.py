"""Class names to ontology ids: the maps that the project carries, and a user's own."""

import csv
from pathlib import Path

import pytest

from ontology.build import build_ontology
from ontology.database import open_ontology
from ontology.nodes import Node, nodes
from stages.errors import ArtifactError, SpaError
from stages.prepare.class_map import read_class_map, resolve_classes
from stages.prepare.listing import Clip, Listing

MAPS = Path(__file__).parents[3] / "stages/prepare/class_maps"


@pytest.fixture(scope="module")
def audioset_nodes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Node]:
    database = tmp_path_factory.mktemp("ontology") / "ontology.duckdb"
    build_ontology(shared / "data/audioset/ontology.json", database)
    with open_ontology(database) as connection:
        return nodes(connection)


def listing(*classes: str, class_map: str | None = None) -> Listing:
    clips = [Clip(name, f"{name}/a.wav", (name,), name) for name in classes]
    return Listing(clips, [], class_map=class_map)


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
    found = resolve_classes(listing(*classes, class_map="esc50"), None, audioset_nodes)
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
    found = resolve_classes(listing("RAIN", "something,_or other", "own id"), None, SMALL)
    assert found == {
        "RAIN": ("/m/rain",),
        "something,_or other": ("Own_Id",),
        "own id": ("Own_Id",),
    }


def test_ones_own_map_comes_first(tmp_path: Path) -> None:
    own = tmp_path / "map.csv"
    own.write_text("mids,class,note\n/m/bark ;/m/dog,Dog_Bark,x\n/m/dog,rain,\n/m/bark,RAIN,\n")
    found = resolve_classes(listing("dog bark", "rain", class_map="esc50"), own, SMALL)
    assert found == {"dog bark": ("/m/dog", "/m/bark"), "rain": ("/m/dog", "/m/bark")}


def test_a_class_without_a_place() -> None:
    with pytest.raises(SpaError) as raised:
        resolve_classes(listing("Tap", "rain", "Quokka"), None, SMALL)
    assert "'Quokka' (of Quokka/a.wav), 'Tap' (of Tap/a.wav)" in raised.value.message
    assert "'rain'" not in raised.value.message
    assert raised.value.next_step is not None
    assert "--class-map" in raised.value.next_step


def test_a_map_to_what_the_ontology_lacks(tmp_path: Path) -> None:
    own = tmp_path / "map.csv"
    own.write_text("class,mids\nquokka,/m/rain;/m/unheard\n")
    with pytest.raises(ArtifactError, match="'quokka' maps to '/m/unheard'"):
        resolve_classes(listing("quokka"), own, SMALL)
    with pytest.raises(ArtifactError, match="'rooster' maps to '/m/07qn5dc'"):
        resolve_classes(listing("rooster", class_map="esc50"), None, SMALL)


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
