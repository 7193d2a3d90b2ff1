"""What `spa embed-labels` takes and what it says when it is done."""

from pathlib import Path

from pydantic import Field

from stages.settings import StageSettings, StageSummary

DEFAULT_TEXT_ENCODER = "open_clip:ViT-B-32/laion2b_s34b_b79k"


class EmbedLabelsSettings(StageSettings):
    """Settings of the embed-labels stage."""

    text_encoder: str = Field(
        DEFAULT_TEXT_ENCODER,
        description="open_clip:MODEL/PRETRAINED, open_clip:MODEL/FILE (a local checkpoint), or minilm (offline).",
    )
    prompt: str = Field(
        "{path}",
        min_length=1,
        description="Template of a label's text over {name}, {description} and {path}.",
    )
    near_duplicate_cosine: float = Field(
        0.97, gt=0, le=1, description="Label pairs whose texts are at least this similar are named."
    )

    def sources(self) -> tuple[Path, ...]:
        """The local checkpoint, where one is named."""
        file = Path(self.text_encoder.partition("/")[2])
        return (file,) if self.text_encoder.startswith("open_clip:") and file.is_file() else ()


class NearDuplicate(StageSummary):
    """Two labels that the text encoder can hardly tell apart."""

    label: str
    other: str
    cosine: float


class EmbedLabelsSummary(StageSummary):
    """What was embedded, and how well text distance follows the ontology."""

    text_encoder: str
    weights_sha256: str
    prompt: str
    labels: int
    dimensions: int
    spearman: float | None
    near_duplicates: tuple[NearDuplicate, ...]
