"""Training steps on a GPU beside the same steps on the CPU, and whether both compute the same.

    python benchmarks/cuda_training.py [--batch-size 64] [--steps 20]

For each encoder: the largest difference of the logits in single precision between CUDA and CPU, and
clips of ten seconds a second of whole steps (front end, augmentation, losses, AdamW; bfloat16 on
CUDA) on preloaded noise, with the ratio to the CPU's. Without a CUDA device only the CPU is timed.
"""

import argparse
import time

import torch

from stages.models.encoders import ENCODERS
from stages.models.tagger import Tagger
from stages.train.settings import TrainSettings
from stages.train.step import Trainer

LABELS, TEXT_DIMENSIONS, SECONDS = 527, 384, 10


def made(encoder: str, clips: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noise, random targets and random texts, the same every time."""
    generator = torch.Generator().manual_seed(0)
    samples = SECONDS * ENCODERS[encoder].front_end.sample_rate
    waveform = 0.1 * torch.randn(clips, samples, generator=generator)
    targets = (torch.rand(clips, LABELS, generator=generator) < 0.005).float()
    texts = torch.randn(LABELS, TEXT_DIMENSIONS, generator=generator)
    return waveform, targets, torch.nn.functional.normalize(texts, dim=1)


def clips_per_second(encoder: str, device: str, clips: int, steps: int) -> float:
    """Rate of whole training steps, after three to warm up."""
    waveform, targets, texts = (tensor.to(device) for tensor in made(encoder, clips))
    torch.manual_seed(0)
    tagger = Tagger(encoder, LABELS, TEXT_DIMENSIONS).to(device).train()
    trainer = Trainer(tagger, texts, TrainSettings(), steps + 3)
    started = 0.0
    for number in range(steps + 3):
        if number == 3:
            started = time.perf_counter()
        loss = trainer.step(number, waveform, targets).values()["loss"]  # waits for the device
        assert loss == loss, "the loss is not a number"  # noqa: PLR0124
    return steps * clips / (time.perf_counter() - started)


@torch.inference_mode()
def largest_difference(encoder: str) -> float:
    """Of the logits of two clips, CUDA against CPU, single precision without TF32."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(0)
    tagger = Tagger(encoder, LABELS).eval()
    waveform = made(encoder, 2)[0]
    on_cpu = tagger(waveform)
    return float((tagger.cuda()(waveform.cuda()).cpu() - on_cpu).abs().max())


def main() -> None:
    """Print a row an encoder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    cuda = torch.cuda.is_available()
    print(f"device: {torch.cuda.get_device_name() if cuda else 'no CUDA device here, CPU only'}")
    for encoder in ENCODERS:
        cpu = clips_per_second(encoder, "cpu", clips=4, steps=2)
        line = f"{encoder:<8} CPU {cpu:8.2f} clips/s"
        if cuda:
            difference = largest_difference(encoder)
            rate = clips_per_second(encoder, "cuda", options.batch_size, options.steps)
            line += f"  CUDA {rate:8.1f} clips/s, {rate / cpu:7.1f} x  logits differ by {difference:.1e}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
