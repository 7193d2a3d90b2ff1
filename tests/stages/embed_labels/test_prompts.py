"""Prompt templates: what they may hold, and what they give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.embed_labels.prompts import label_prompts, template_fields
from stages.errors import UsageError

BARK = {
    "display_name": "Bark",
    "description": "The loud, short sound of a dog.",
    "path": ["Animal", "Dog", "Bark"],
}


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        ("{name}", "Bark"),
        ("{path}", "Animal > Dog > Bark"),
        ("{name}: {description}", "Bark: The loud, short sound of a dog."),
        ("{{name}} is {name}", "{name} is Bark"),
        ("the sound of {name}, {name}", "the sound of Bark, Bark"),
    ],
)
def test_a_template_is_filled_in(template: str, prompt: str) -> None:
    assert label_prompts(template, [BARK]) == [prompt]


def test_texts_with_braces_are_not_templates() -> None:
    assert label_prompts("{name}", [BARK | {"display_name": "{path.__class__}"}]) == [
        "{path.__class__}"
    ]


@pytest.mark.parametrize("description", ["", "  \n"])
def test_the_name_stands_in_for_an_empty_description(description: str) -> None:
    assert label_prompts("a {description}", [BARK | {"description": description}]) == ["a Bark"]


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("{label}", "{label}"),
        ("{}", "{}"),
        ("{0}", "{0}"),
        ("{name.__class__}", "{name.__class__}"),
        ("{path[0]}", "{path[0]}"),
        ("{name!r}", "{name!r}"),
        ("{name:>1000000000}", "{name:>1000000000}"),
        ("{name:{path}}", "{name:{path}}"),
        ("{ name }", "{ name }"),
    ],
)
def test_another_field_is_refused_by_name(template: str, named: str) -> None:
    with pytest.raises(UsageError) as caught:
        template_fields(template)
    assert f"'{named}'" in caught.value.message
    assert "{name}, {description} and {path}" in str(caught.value.next_step)


@pytest.mark.parametrize("template", ["{name", "name}", "{", "{name!}"])
def test_broken_braces_are_refused(template: str) -> None:
    with pytest.raises(UsageError, match="is broken"):
        template_fields(template)


@pytest.mark.parametrize("template", ["sound", "{{name}}", " "])
def test_a_template_without_a_field_is_refused(template: str) -> None:
    with pytest.raises(UsageError, match="the same for every label"):
        template_fields(template)


@given(st.text(alphabet="{}!:.[]0 namepth", max_size=20))
def test_any_text_is_a_template_or_a_usage_error(template: str) -> None:
    try:
        template_fields(template)
    except UsageError:
        return
    assert label_prompts(template, [BARK])[0].count("Bark") >= 1
