"""The text of a label: a template over its name, its description and its path in the ontology."""

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

from stages.errors import UsageError

FIELDS = ("name", "description", "path")
_ALLOWED = "the fields are {name}, {description} and {path}, each as it stands"


def template_fields(template: str) -> frozenset[str]:
    """Check `template` and return the fields that it uses, at least one of `FIELDS`.

    Raises:
        UsageError: broken braces, another field, or a field with an attribute, an index, a
            conversion or a format: a template can reach nothing but the three texts.
    """
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        message = f"the prompt template '{template}' is broken: {error}"
        raise UsageError(message, _ALLOWED) from error
    fields = set()
    for _, field, form, conversion in parsed:
        if field is None:
            continue
        if field not in FIELDS or form or conversion:
            given = field + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            raise UsageError(f"the prompt template may not use '{{{given}}}'", _ALLOWED)
        fields.add(field)
    if not fields:
        raise UsageError(f"the prompt '{template}' would be the same for every label", _ALLOWED)
    return frozenset(fields)


def label_prompts(template: str, labels: Sequence[Mapping[str, Any]]) -> list[str]:
    """The prompt of each row of labels.parquet.

    `path` is the names from a root of the ontology down, joined by " > ". The name stands in for a
    description that is empty: labels with no text at all would be one point to the text encoder.

    Raises:
        UsageError: see `template_fields`.
    """
    template_fields(template)
    return [
        template.format(
            name=label["display_name"],
            description=label["description"].strip() or label["display_name"],
            path=" > ".join(label["path"]),
        )
        for label in labels
    ]
