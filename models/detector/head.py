"""Second half of the training: the head that hears a second after the seconds before it.

What came before is partly the same recording and partly another sound altogether, cut in hard. On
clips of five seconds alone a head learns that a cry never ends: it then fires on the quiet seconds
after one, and on a ward there are such seconds after every cry.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from models.detector.backbone import Log, TeacherOpinions
from models.detector.networks.classifier import SecondClassifier
from models.detector.networks.context import ContextHead
from models.detector.variation import heard
from models.detector.windows import HISTORY, TrainingSound
from models.features import DETECTOR_RATE_HZ, log_mel

CONTEXT_SECONDS = 3
VIEWS = 14_400  # windows to learn from, each varied in its own way
VIEW_BATCH = 48
STEPS, BATCH = 1500, 256
# Where a recording begins inside the window: as often another sound comes before it as nothing.
SPLICED = 0.5
LOG_EVERY = 250


@torch.inference_mode()
def windows_of(
    model: SecondClassifier, sound: TrainingSound, rows: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Tensor, NDArray[np.int64]]:
    """Features of seconds about `rows` and of those before them.

    Returns:
        float32 [rows, K, 256], padded as the runtime pads a short run, and the samples at which
        the windows end, int64 [rows].
    """
    history = HISTORY + (CONTEXT_SECONDS - 1) * DETECTOR_RATE_HZ
    cut = sound.cut(rows, rng, history=history)
    waveforms, silence = cut.waveforms, cut.silence.copy()
    before = sound.cut(sound.drawn(len(rows), rng), rng, history=history).waveforms
    for row in np.flatnonzero((silence > 0) & (rng.random(len(rows)) < SPLICED)):
        waveforms[row, : silence[row]] = before[row, -silence[row] :]
        silence[row] = 0
    cries = sound.labels[rows] != 0
    varied = heard(waveforms, cries, lambda n: sound.noises(n, rng, history), rng)[:, HISTORY:]
    seconds = np.ascontiguousarray(varied).reshape(-1, DETECTOR_RATE_HZ)
    features = model.backbone(torch.from_numpy(log_mel(seconds))[:, None])
    windows = features.reshape(len(rows), CONTEXT_SECONDS, -1)
    missing = np.maximum(0, silence - HISTORY) // DETECTOR_RATE_HZ
    for row in np.flatnonzero(missing):
        windows[row, : missing[row]] = windows[row, missing[row]]
    return windows, cut.ends


def train_head(
    model: SecondClassifier, sound: TrainingSound, opinions: TeacherOpinions, seed: int, log: Log
) -> ContextHead:
    """The head on the features of a backbone that no longer learns."""
    rng = np.random.default_rng([seed, 10_000])
    torch.manual_seed(seed)
    parts: list[tuple[Tensor, ...]] = []
    for _ in tqdm(range(VIEWS // VIEW_BATCH), "Features", leave=False):
        rows = sound.drawn(VIEW_BATCH, rng)
        windows, ends = windows_of(model, sound, rows, rng)
        shares = sound.cry_shares(rows, ends, np.ones(len(rows)))
        parts.append((windows, *opinions.targets(rows, ends, shares)))
    windows, target, weight = (torch.cat(part) for part in zip(*parts, strict=True))
    head = ContextHead(CONTEXT_SECONDS)
    # Begins as the standalone classifier, so that context can only add to it.
    head.last.load_state_dict(model.head[1].state_dict())
    nn.init.zeros_(head.context[-1].weight)
    optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    losses = []
    for step in tqdm(range(STEPS), "Head", leave=False):
        rows = torch.from_numpy(rng.choice(len(target), BATCH))
        loss = nn.functional.binary_cross_entropy_with_logits(
            head(windows[rows]), target[rows], weight[rows]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if (step + 1) % LOG_EVERY == 0:
            log({"stage": "head", "step": step + 1, "loss": float(np.mean(losses[-LOG_EVERY:]))})
    return head.eval()
