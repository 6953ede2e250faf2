"""The pictures of the detector's report, as PNG inside a page: matplotlib, without a screen."""

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from models.detector.calibration import reliability
from models.detector.evaluation import THRESHOLD
from models.features import DETECTOR_HOP, DETECTOR_RATE_HZ, log_mel

Scored = Mapping[str, NDArray[np.floating]]


def picture(figure: Figure) -> str:
    """An `<img>` that needs no other file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    return f'<img src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def curves(scored: Scored, cries: NDArray[np.bool_]) -> str:
    """ROC and precision-recall curves of several models on the same seconds."""
    figure = Figure(figsize=(11, 4.5))
    left, right = figure.subplots(1, 2)
    for name, scores in scored.items():
        false, true, _ = roc_curve(cries, scores)
        left.plot(false, true, label=name)
        precision, recall, _ = precision_recall_curve(cries, scores)
        right.plot(recall, precision, label=name)
    left.set(title="ROC", xlabel="false alarms, of other seconds", ylabel="cries heard")
    left.set(xlim=(0, 0.4), ylim=(0.6, 1.005))
    right.set(title="Precision and recall", xlabel="recall", ylabel="precision")
    right.set(xlim=(0.3, 1.005), ylim=(0.3, 1.005))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    return picture(figure)


def reliability_diagram(scores: NDArray[np.floating], cries: NDArray[np.bool_]) -> str:
    """Share of cries over score, and how many seconds have such a score."""
    bins = reliability(scores, cries)
    figure = Figure(figsize=(6, 5))
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.plot([b.score for b in bins], [b.share for b in bins], marker="o")
    axes.set(title="Reliability", ylabel="share of cries", ylim=(-0.02, 1.02))
    below.bar([b.score for b in bins], [b.count for b in bins], width=0.06)
    below.set(xlabel="score", ylabel="seconds", yscale="log")
    return picture(figure)


def shares(title: str, counts: Mapping[str, Sequence[int]]) -> str:
    """How many of all, for each name: bars of `counts`, some and all of each."""
    names = sorted(counts, key=lambda name: counts[name][0] / counts[name][1])
    figure = Figure(figsize=(8, 0.26 * len(names) + 1))
    axes = figure.subplots()
    axes.barh(names, [counts[name][0] / counts[name][1] for name in names])
    for place, name in enumerate(names):
        some, everything = counts[name]
        axes.text(some / everything + 0.005, place, f"{some} of {everything}", va="center")
    axes.set(title=title, xlim=(0, 1))
    return picture(figure)


def trace(
    title: str,
    waveform: NDArray[np.float32],
    scores: NDArray[np.floating],
    intervals: Sequence[tuple[float, float]],
) -> str:
    """The spectrogram of float32 [samples], what is marked as a cry, and the score each second."""
    seconds = waveform.size / DETECTOR_RATE_HZ
    figure = Figure(figsize=(11, 2.6))
    axes = figure.subplots()
    spectrogram = log_mel(waveform[None])[0]
    end = spectrogram.shape[1] * DETECTOR_HOP / DETECTOR_RATE_HZ
    axes.imshow(
        spectrogram, origin="lower", aspect="auto", cmap="magma", extent=(0, end, 0, 64), vmin=-70
    )
    for start, stop in intervals:
        axes.axvspan(start, stop, ymin=0.96, color="lime")
    over = axes.twinx()
    over.stairs(scores, np.arange(len(scores) + 1), color="cyan", linewidth=2)
    over.axhline(THRESHOLD, color="cyan", linestyle=":", linewidth=1)
    over.set(ylim=(-0.02, 1.02), xlim=(0, seconds), ylabel="score")
    axes.set(title=title, ylabel="mel", xlabel="s")
    return picture(figure)
