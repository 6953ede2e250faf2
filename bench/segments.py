"""What the stream emits, not what the network says: cry segments against marks.

    VAGITUS_DATA=… python bench/segments.py --split val --grid
    VAGITUS_DATA=… python bench/segments.py --split test

Runs the stream's own functions over recordings. Cry recordings with marks give segment precision
and recall and the onset delay; all other sound gives false segments a monitor-day. `--grid` tries
rules, to choose them on `val`; `--onset` and its like override the settings.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import click
import numpy as np

from models.corpora.labels import CRY_SECONDS, cry_intervals
from models.corpora.manifest import CorpusError, Recording, corpus_folder, read_manifest
from models.detector.runtime import CryDetector
from streams.app import segment_rules
from streams.errors import SourceError
from streams.offline import OfflineScorer
from streams.records.cry_scores import CryScore
from streams.segments import HeardSecond, Segmenter, SegmentRules
from streams.settings import Settings

DAY_SECONDS = 24 * 3600
# Marked cries this near to each other are one cry: a breath is not its end.
BREATH_SECONDS = 2.0
ONSETS, OFFSETS, HANGOVERS, MINIMA = (0.5, 0.6, 0.7, 0.8, 0.9), (0.2, 0.3, 0.5), (2, 3), (1, 2)

Span = tuple[float, float]


@dataclass
class Count:
    """What was emitted over a set of recordings."""

    right: int = 0
    emitted: int = 0
    heard: int = 0
    cries: int = 0
    delays: list[float] = field(default_factory=list)
    other_seconds: int = 0
    false_alarms: Counter[str] = field(default_factory=Counter)

    def line(self) -> str:
        """One row of the table."""
        delays = np.array(self.delays or [np.nan])
        precision, recall = self.right / max(1, self.emitted), self.heard / max(1, self.cries)
        a_day = self.false_alarms.total() * DAY_SECONDS / max(1, self.other_seconds)
        return (
            f"precision {precision:.3f} ({self.right} of {self.emitted})  "
            f"recall {recall:.3f} ({self.heard} of {self.cries})  "
            f"onset {np.median(delays):.1f} s, p95 {np.percentile(delays, 95):.1f} s  "
            f"false a day {a_day:.0f} ({self.false_alarms.total()} in {self.other_seconds} s)"
        )


def segments_of(scores: Sequence[float], rules: SegmentRules) -> Iterator[Span]:
    """What the stream's segmenter makes of scores, one a second: begin and end in seconds."""
    segmenter = Segmenter(rules)
    silence = np.zeros(1, np.float32)

    def closed() -> Iterator[Span]:
        seconds = segmenter.close()
        if seconds:
            yield seconds[0].offset, seconds[-1].offset + 1

    for number, score in enumerate(scores):
        spoken = CryScore("bench", number, 1000 * number, score, 0.0, 0.0)
        if segmenter.hear(HeardSecond(spoken, silence, 8000, number)):
            yield from closed()
    if segmenter.is_open:
        yield from closed()


def bouts_of(intervals: Sequence[Span]) -> list[Span]:
    """Marked cries, joined over breaths, without those too short to make a second a cry."""
    bouts: list[Span] = []
    for start, end in sorted(intervals):
        if bouts and start - bouts[-1][1] <= BREATH_SECONDS:
            bouts[-1] = (bouts[-1][0], max(end, bouts[-1][1]))
        else:
            bouts.append((start, end))
    return [bout for bout in bouts if bout[1] - bout[0] >= CRY_SECONDS]


def _overlap(a: Span, b: Span) -> float:
    return min(a[1], b[1]) - max(a[0], b[0])


def count(recordings: Sequence[tuple[Recording, list[float]]], rules: SegmentRules) -> Count:
    """Compare what rules emit with the marks."""
    result = Count()
    for recording, scores in recordings:
        segments = list(segments_of(scores, rules))
        if not recording.is_cry:
            result.other_seconds += len(scores)
            result.false_alarms[recording.kind] += len(segments)
        elif recording.textgrid is not None:
            bouts = bouts_of(cry_intervals(recording.textgrid))
            result.emitted += len(segments)
            result.right += sum(any(_overlap(s, b) > 0 for b in bouts) for s in segments)
            result.cries += len(bouts)
            for bout in bouts:
                found = [s for s in segments if _overlap(s, bout) > 0]
                if found:
                    result.heard += 1
                    # A second is known when it is over.
                    result.delays.append(max(0.0, found[0][0] + 1 - bout[0]))
    return result


def _scored(split: str, weights: Path | None) -> list[tuple[Recording, list[float]]]:
    scorer = OfflineScorer(CryDetector(weights), Settings())
    chosen = [
        r for r in read_manifest(corpus_folder())
        if split in (r.split, "all") and (r.textgrid is not None or not r.is_cry)
    ]  # fmt: skip
    scored = []
    with click.progressbar(chosen, label="Scoring") as shown:
        for recording in shown:
            try:
                scored.append((recording, scorer.scores(recording.path)))
            except SourceError as error:  # some clips are shorter than half a second
                click.echo(f"\nPassed over: {error}", err=True)
    return scored


@click.command()
@click.option("--split", type=click.Choice(["train", "val", "test", "all"]), default="val")
@click.option("--weights", type=click.Path(exists=True, path_type=Path))
@click.option("--onset", type=float)
@click.option("--offset", type=float)
@click.option("--hangover", type=int)
@click.option("--minimum", type=int)
@click.option("--grid", is_flag=True, help="Try many rules; choose on val alone.")
def main(
    split: str,
    weights: Path | None,
    onset: float | None,
    offset: float | None,
    hangover: int | None,
    minimum: int | None,
    grid: bool,
) -> None:
    """Segment precision, recall, onset delay and false segments a monitor-day."""
    try:
        recordings = _scored(split, weights)
    except (CorpusError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from None
    given = {"onset_score": onset, "offset_score": offset, "hangover_seconds": hangover,
             "minimum_seconds": minimum}  # fmt: skip
    rules = replace(segment_rules(Settings()), **{n: v for n, v in given.items() if v is not None})
    if grid:
        for first, last, quiet, least in product(ONSETS, OFFSETS, HANGOVERS, MINIMA):
            if last <= first:
                tried = SegmentRules(first, last, quiet, least)
                line = count(recordings, tried).line()
                click.echo(f"{first} {last} {quiet} {least}  {line}")
        return
    result = count(recordings, rules)
    click.echo(f"{rules}\n{result.line()}")
    for kind, alarms in result.false_alarms.most_common():
        if alarms:
            click.echo(f"  {kind:20} {alarms}")


if __name__ == "__main__":
    main()
