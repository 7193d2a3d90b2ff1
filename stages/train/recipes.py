"""Settings of published trainings on AudioSet, to train as their authors did.

Each holds what the paper and its public training script set, in this trainer's terms: masks as
shares of the 10 s clip, counts of steps as shares of the training. docs/train.md lists what no
option here can say. Alignment is in none of these papers: its settings are left as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stages.train.choices.running import RecipeName

_EPOCH_CLIPS = 100_000  # drawn anew for each epoch, in EfficientAT's and PaSST's scripts


@dataclass(frozen=True)
class Recipe:
    """What one paper set.

    `citation` names the paper, `script` the public code that the values were read from, and
    `start` the weights it started from, where those were of another kind than `--init` takes.
    `values` holds setting names and values.
    """

    citation: str
    script: str
    start: str | None
    values: Mapping[str, float | int | str]

    def under(self, given: Mapping[str, object]) -> dict[str, object]:
        """`given`, and the recipe's values for what is not given.

        None counts as not given. Weights to start from decide the encoder, so with `init` the
        recipe's own encoder is left out. Patchout is for its own encoder alone.
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        filled: dict[str, object] = dict(self.values)
        if "init" in chosen:
            del filled["encoder"]
        if chosen.get("encoder", self.values["encoder"]) != self.values["encoder"]:
            filled = {name: value for name, value in filled.items() if "patchout" not in name}
        return filled | chosen


# pytorch/main.py as scripts/4_train.sh calls it: a million steps of 32 mixtures, the model judged every
# 2,000. Two stripes of up to 64 of 1,001 frames and 8 of 64 bands are masked, before the mixing.
PANNS = Recipe(
    citation="Kong et al., PANNs, IEEE/ACM TASLP 2020, arXiv 1912.10211",
    script="github.com/qiuqiangkong/audioset_tagging_cnn",
    start=None,
    values={
        "encoder": "cnn14",
        "loss": "bce",
        "epochs": 500,
        "clips_per_epoch": 64_000,
        "sampling": "balanced",
        "batch_size": 32,
        "learning_rate": 1e-3,
        "schedule": "constant",
        "warmup_share": 0.0,
        "weight_decay": 0.0,
        "beta1": 0.9,
        "average": "none",
        "mixup_alpha": 1.0,
        "mixup_share": 1.0,
        "mixup_of": "log-mel",
        "time_mask_share": 0.064,
        "mel_mask_share": 0.125,
    },
)

# ex_audioset.py: 8 epochs of warm-up; the rate falls to a hundredth.
EFFICIENTAT = Recipe(
    citation="Schmid et al., ICASSP 2023, arXiv 2211.04772",
    script="github.com/fschmid56/EfficientAT",
    start="ImageNet's",
    values={
        "encoder": "mn10",
        "loss": "bce",
        "epochs": 200,
        "clips_per_epoch": _EPOCH_CLIPS,
        "sampling": "balanced",
        "batch_size": 120,
        "learning_rate": 8e-4,
        "schedule": "cosine",
        "final_share": 0.01,
        "warmup_share": 0.04,
        "weight_decay": 0.0,
        "beta1": 0.9,
        "average": "none",
        "mixup_alpha": 0.3,
        "mixup_share": 1.0,
        "mixup_of": "log-mel",
        "time_mask_share": 0.0,
        "mel_mask_share": 0.0,
    },
)

# The paper's section 3.1, egs/audioset/run.sh and src/traintest.py, for the full set: 1,000 steps of
# warm-up out of 5 times 170,000; from the third epoch on the rate is halved each time; the weights
# of all epochs are averaged.
# One mask of up to 192 of 1,024 frames and one of 48 of 128 bands: here two, each half as long.
AST = Recipe(
    citation="Gong et al., Interspeech 2021, arXiv 2104.01778",
    script="github.com/YuanGongND/ast",
    start="ImageNet's",
    values={
        "encoder": "ast",
        "loss": "bce",
        "epochs": 5,
        "sampling": "balanced",
        "batch_size": 12,
        "learning_rate": 1e-5,
        "schedule": "exponential",
        "final_share": 0.125,
        "warmup_share": 0.0012,
        "weight_decay": 5e-7,
        "beta1": 0.95,
        "average": "swa",
        "swa_share": 1.0,
        "mixup_alpha": 10.0,
        "mixup_share": 0.5,
        "mixup_of": "waveform",
        "time_mask_share": 0.09375,
        "mel_mask_share": 0.1875,
    },
)

# ex_audioset.py and audioset/dataset.py: 5 epochs of warm-up; the weights are averaged from epoch
# 50 on. Masks as AST's, of 998 frames; rolled by up to 50 of 320,000 samples.
PASST = Recipe(
    citation="Koutini et al., Interspeech 2022, arXiv 2110.05069",
    script="github.com/kkoutini/PaSST",
    start="ImageNet's",
    values={
        "encoder": "passt",
        "loss": "bce",
        "epochs": 130,
        "clips_per_epoch": _EPOCH_CLIPS,
        "sampling": "balanced",
        "batch_size": 12,
        "learning_rate": 2e-5,
        "schedule": "cosine",
        "final_share": 0.01,
        "warmup_share": 0.0385,
        "weight_decay": 1e-4,
        "beta1": 0.9,
        "average": "swa",
        "swa_share": 0.615,
        "mixup_alpha": 0.3,
        "mixup_share": 1.0,
        "mixup_of": "log-mel",
        "gain_db": 7.0,
        "time_roll_share": 0.00015625,
        "time_mask_share": 0.0962,
        "mel_mask_share": 0.1875,
        "patchout_time": 40,
        "patchout_mel": 4,
    },
)

RECIPES: Mapping[RecipeName, Recipe] = {
    "panns": PANNS,
    "efficientat": EFFICIENTAT,
    "ast": AST,
    "passt": PASST,
}
