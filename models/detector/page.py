"""The detector's report as one page: figures, curves, traces; it needs no other file."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from html import escape

import numpy as np
from numpy.typing import NDArray

from models.corpora.labels import CRY, UNKNOWN, cry_intervals
from models.corpora.manifest import Recording
from models.detector.data import Seconds, as_float
from models.detector.evaluation import Row
from models.detector.pictures import curves, reliability_diagram, shares, trace

# Cry recordings with the most and the fewest wrong seconds, and the loudest false alarms.
TRACES_OF_EACH = 4
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1150px; margin: 2em auto; color: #222 }
table { border-collapse: collapse; margin: 1em 0 }
td, th { padding: 3px 10px; border-bottom: 1px solid #ddd; text-align: right }
td:first-child, th:first-child { text-align: left }
img { max-width: 100% }
"""


def page_of(
    split: str,
    version: str,
    seconds: Seconds,
    manifest: list[Recording],
    scored: Mapping[str, NDArray[np.float32]],
    figures: Mapping[str, Mapping[str, object]],
    rows: Sequence[Row],
) -> str:
    """HTML of everything measured on a split.

    Args:
        split: its name.
        version: of the detector.
        seconds: of the split.
        manifest: that they point into.
        scored: scores of each model on these seconds; the detector first.
        figures: of each model.
        rows: of the detector under conditions.
    """
    known = seconds.labels != UNKNOWN
    cries = seconds.labels[known] == CRY
    name, scores = next(iter(scored.items()))
    parts = [
        f"<h1>{escape(version)} on split {escape(split)}</h1>",
        _figures(figures),
        curves({model: s[known] for model, s in scored.items()}, cries),
        "<h2>Is 0.8 eight in ten?</h2>",
        reliability_diagram(scores[known], cries),
        "<h2>What a ward does to sound</h2>",
        _conditions(rows),
        "<h2>False alarms</h2>",
        shares("Clips with a second at 0.5 or above", figures[name]["false_alarm_clips"]),
        "<h2>Missed</h2>",
        shares("Cry seconds under 0.5", figures[name]["missed_cry_seconds"]),
        "<h2>Scores over spectrograms</h2><p>Green: marked as a cry. Cyan: the score.</p>",
        *_traces(scores, seconds, manifest),
    ]
    body = "\n".join(parts)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(version)}</title>'
        f"<style>{STYLE}</style><body>{body}</body></html>\n"
    )


def _figures(figures: Mapping[str, Mapping[str, object]]) -> str:
    names = [n for n, value in next(iter(figures.values())).items() if not isinstance(value, dict)]
    head = "".join(f"<th>{escape(model)}</th>" for model in figures)
    lines = [
        f"<tr><td>{name.replace('_', ' ')}</td>"
        + "".join(f"<td>{_text(result[name])}</td>" for result in figures.values())
        + "</tr>"
        for name in names
    ]
    return f"<table><tr><th></th>{head}</tr>{''.join(lines)}</table>"


def _conditions(rows: Sequence[Row]) -> str:
    head = "".join(f"<th>{field.name.replace('_', ' ')}</th>" for field in fields(Row))
    lines = ("".join(f"<td>{_text(v)}</td>" for v in astuple(row)) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else escape(str(value))


def _traces(scores: NDArray[np.float32], seconds: Seconds, manifest: list[Recording]) -> list[str]:
    errors = np.abs(scores - (seconds.labels == CRY)) * (seconds.labels != UNKNOWN)
    clips = np.unique(seconds.recordings)
    worst = {clip: float(errors[seconds.recordings == clip].mean()) for clip in clips}
    marked = sorted((c for c in clips if manifest[c].textgrid), key=worst.__getitem__)
    others = sorted((c for c in clips if not manifest[c].is_cry), key=worst.__getitem__)
    chosen = {
        "heard well": marked[:TRACES_OF_EACH],
        "heard worst": marked[::-1][:TRACES_OF_EACH],
        "false alarm": others[::-1][:TRACES_OF_EACH],
    }
    pictures = []
    for why, of_these in chosen.items():
        for clip in of_these:
            rows = seconds.recordings == clip
            recording = manifest[clip]
            marks = cry_intervals(recording.textgrid) if recording.textgrid else []
            title = f"{why}: {recording.path.name} ({recording.kind})"
            wave = as_float(seconds.waveforms[rows]).reshape(-1)
            pictures.append(trace(title, wave, scores[rows], marks))
    return pictures
