"""What is refused as an ontology file: each names the file, the value and the next step."""

import json
import re
from itertools import pairwise

import pytest

from ontology.errors import OntologyError
from ontology.json_file import MAX_BYTES, read_ontology_json


def node(mid, *child_mids, **other):
    return {"id": mid, "name": f"name of {mid}", "child_ids": list(child_mids), **other}


BAD_DOCUMENTS = {
    "object": ({"id": "a"}, "holds an object, not a list of nodes"),
    "null": (None, "holds null, not a list"),
    "number": (5, "holds a number, not a list"),
    "empty": ([], "holds an empty list"),
    "node is a list": ([node("a"), ["b"]], r"has a list as node 1 \(counted from 0\)"),
    "no id": ([{"name": "x"}], r"has no 'id' in node 0"),
    "no name": ([{"id": "a"}], r"has no 'name' in node 'a'"),
    "empty id": ([{"id": "", "name": "x"}], "has an empty 'id' in node 0"),
    "empty name": ([{"id": "a", "name": ""}], "has an empty 'name' in node 'a'"),
    "id is a number": ([{"id": 7, "name": "x"}], "has 7 as 'id' of node 0"),
    "id is null": ([{"id": None, "name": "x"}], "has None as 'id' of node 0"),
    "name is a list": ([{"id": "a", "name": ["x"]}], r"has \['x'\] as 'name' of node 'a'"),
    "description": ([node("a", description=1)], "has 1 as 'description' of node 'a', not a string"),
    "restrictions": (
        [node("a", restrictions="abstract")],
        "'restrictions' of node 'a', not a list",
    ),
    "restriction": ([node("a", restrictions=[1])], "has 1 in 'restrictions' of node 'a'"),
    "child is a node": ([node("a", {"id": "b"})], "in 'child_ids' of node 'a', not a string"),
    "children": (
        [{"id": "a", "name": "x", "child_ids": {}}],
        "'child_ids' of node 'a', not a list",
    ),
    "half a surrogate": ([node("a\ud800")], "no valid Unicode text"),
    "duplicate id": ([node("a"), node("b"), node("a")], "has the id 'a' twice"),
    "missing child": (
        [node("a", "b", "ghost"), node("b")],
        "has no node 'ghost', which is in 'child_ids' of node 'a'",
    ),
    "own child": ([node("a", "a")], r"cycle: 'name of a' \(a\) > 'name of a' \(a\)$"),
}


@pytest.mark.parametrize(("document", "message"), BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS.keys())
def test_a_bad_document_is_refused_by_name(tmp_path, document, message):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document))
    with pytest.raises(OntologyError, match=message) as caught:
        read_ontology_json(path)
    assert str(path) in str(caught.value)
    assert caught.value.next_step


BAD_BYTES = {
    "broken": (b'[\n  {"id": "a",\n   "name" "x"}]', r"broken JSON at line 3, column 11"),
    "cut short": (b'[{"id": "a"', "broken JSON at line 1"),
    "empty file": (b"", "broken JSON at line 1, column 1"),
    "not UTF-8": (b'[{"id": "\xff\xfe"}]', "no UTF-8 text at byte 9"),
    "nested without end": (b"[" * 200_000, "cannot be parsed"),
    "endless number": (b"[" + b"9" * 10_000 + b"]", "cannot be parsed"),
    "too large": (b" " * (MAX_BYTES + 1), f"larger than {MAX_BYTES} bytes"),
}


@pytest.mark.parametrize(("data", "message"), BAD_BYTES.values(), ids=BAD_BYTES.keys())
def test_bad_bytes_are_refused_by_name(tmp_path, data, message):
    path = tmp_path / "bad.json"
    path.write_bytes(data)
    with pytest.raises(OntologyError, match=message) as caught:
        read_ontology_json(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path):
    with pytest.raises(OntologyError, match=r"none\.json was not found"):
        read_ontology_json(tmp_path / "none.json")
    with pytest.raises(OntologyError, match=rf"{re.escape(str(tmp_path))} cannot be read"):
        read_ontology_json(tmp_path)


def test_a_cycle_is_spelled_from_parent_to_child(tmp_path):
    path = tmp_path / "cycle.json"
    nodes = [
        node("root", "a"),
        node("a", "b"),
        node("b", "c", "leaf"),
        node("c", "a"),
        node("leaf"),
    ]
    path.write_text(json.dumps(nodes))
    with pytest.raises(OntologyError) as caught:
        read_ontology_json(path)
    named = re.findall(r"\((\w+)\)", str(caught.value))
    assert len(named) == 4
    assert named[0] == named[-1]
    children = {entry["id"]: entry["child_ids"] for entry in nodes}
    for above, below in pairwise(named):
        assert below in children[above]


def test_a_long_cycle_and_long_values_make_a_short_message(tmp_path):
    path = tmp_path / "ring.json"
    ring = [node(f"n{i}", f"n{(i + 1) % 500}") for i in range(500)]
    path.write_text(json.dumps(ring))
    with pytest.raises(OntologyError, match=r"\.\.\. 491 more$"):
        read_ontology_json(path)
    path.write_text(json.dumps([node("x" * 100_000, "y" * 100_000)]))
    with pytest.raises(OntologyError) as caught:
        read_ontology_json(path)
    assert len(str(caught.value)) < 500


def test_what_is_optional_or_unknown_or_repeated_is_no_error(tmp_path):
    path = tmp_path / "small.json"
    nodes = [{"id": "a", "name": "A", "child_ids": ["b", "b"], "citation_uri": 1}]
    path.write_text(json.dumps([*nodes, {"id": "b", "name": "B"}]))
    first, second = read_ontology_json(path)
    assert first.child_mids == ("b",)
    assert (second.description, second.restrictions, second.child_mids) == ("", (), ())
