"""The prepared workspace of each set and fold, and the labels' texts by every prompt."""

from dataclasses import dataclass
from pathlib import Path

from ablation.label_mixtures import MixtureSizes, write_mixtures
from ablation.links import link
from ablation.mixture_sources import sources_of, split_sources
from ablation.sets import EvaluationSet
from stages.demo_data.settings import DemoDataSettings
from stages.embed_labels.settings import EmbedLabelsSettings
from stages.pipeline import DEMO_DATA, EMBED_LABELS, PREPARE
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage

TEXT_ENCODER = "minilm"
SEED = 0
ESC10_EVAL_FOLD, URBANSOUND8K_EVAL_FOLD = 5, 2  # of the mixtures
DEMO, MIXTURES = DemoDataSettings(seed=SEED), MixtureSizes(train=2000, valid=300, eval=800)
SMOKE_DEMO = DemoDataSettings(train_clips=60, valid_clips=20, eval_clips=20, seed=SEED)
SMOKE_MIXTURES = MixtureSizes(train=60, valid=30, eval=30)


@dataclass(frozen=True)
class Preparation:
    """Makes workspaces in `folder` from the data in `shared`; what is there is not made again."""

    shared: Path
    folder: Path
    smoke: bool

    def workspace(self, chosen: EvaluationSet, fold: int) -> Path:
        """The prepared workspace that holds out `fold`."""
        if chosen.data == "demo":
            return self._demo()
        if chosen.data == "mixtures":
            return self._mixtures()
        return self._folds(chosen.data, fold)

    def label_embeddings(self, workspace: Path, prompt: str) -> Path:
        """The text embeddings of a workspace's labels by the template `prompt`."""
        words = "-".join(part for part in prompt.replace("}", "{").split("{") if part.strip())
        folder = workspace.with_name(f"{workspace.name}-texts-{words}")
        link(workspace, folder, ("labels.parquet", "ontology.duckdb"))
        settings = EmbedLabelsSettings(text_encoder=TEXT_ENCODER, prompt=prompt)
        run_stage(EMBED_LABELS, settings, folder, QuietReporter())
        return folder / "label_embeddings.parquet"

    def _demo(self) -> Path:
        workspace = self.folder / "demo"
        made = SMOKE_DEMO if self.smoke else DEMO
        run_stage(DEMO_DATA, made, workspace, QuietReporter())
        settings = PrepareSettings(source=workspace / "demo-data")
        run_stage(PREPARE, settings, workspace, QuietReporter())
        return workspace

    def _folds(self, data: str, eval_fold: int) -> Path:
        source = self.shared / "data" / data
        workspace = self.folder / f"{data}-{eval_fold}"
        settings = PrepareSettings(source=source, ontology=self._ontology(), eval_fold=(eval_fold,))
        run_stage(PREPARE, settings, workspace, QuietReporter())
        return workspace

    def _mixtures(self) -> Path:
        workspace, source = self.folder / "mixtures", self.folder / "mixtures-data"
        if not source.exists():
            sources = [
                *sources_of(self._folds("esc10", ESC10_EVAL_FOLD), ESC10_EVAL_FOLD),
                *sources_of(
                    self._folds("urbansound8k", URBANSOUND8K_EVAL_FOLD), URBANSOUND8K_EVAL_FOLD
                ),
            ]
            sizes = SMOKE_MIXTURES if self.smoke else MIXTURES
            write_mixtures(source, split_sources(sources), sizes, SEED)
        settings = PrepareSettings(source=source, ontology=self._ontology())
        run_stage(PREPARE, settings, workspace, QuietReporter())
        return workspace

    def _ontology(self) -> Path:
        return self.shared / "data" / "audioset" / "ontology.json"
