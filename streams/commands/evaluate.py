"""`vagitus evaluate`: how well the stream finds cries, on recordings with marks."""

import itertools
import json
from collections.abc import Iterator

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.corpora.labels import cry_intervals
from models.corpora.manifest import CorpusError, corpus_folder, read_manifest
from streams.commands.options import quiet_option
from streams.errors import SourceError, VagitusError
from streams.evaluation import Heard, StreamFigures
from streams.hearing.segments import SegmentRules
from streams.settings import Settings

# What `--tune` tries.
ONSETS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
OFFSETS = (0.1, 0.2, 0.3, 0.5)
HANGOVERS = (1, 2, 3)
MINIMA = (1, 2, 3)
SURES = (0.0, 0.7, 0.8, 0.9, 0.93, 0.95, 0.96, 0.97)


@click.command()
@click.option(
    "--split", "splits", multiple=True, default=["val"], show_default=True,
    type=click.Choice(["train", "val", "test"]), help="May be given more than once.",
)  # fmt: skip
@click.option("--tune", is_flag=True, help="Compare rules of the segmenter. Choose on val alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@quiet_option
def evaluate(splits: tuple[str, ...], tune: bool, as_json: bool, quiet: bool) -> None:
    """Measure the cries that the stream cuts out, on the corpus that VAGITUS_DATA names.

    Segments against the intervals that somebody marked (precision, recall, onset delay), and
    false segments a monitor-day in sound that is no cry. The detector's own figures, second by
    second: `vagitus-train detector evaluate`.

    \b
    VAGITUS_DATA=corpus vagitus evaluate --split test
    VAGITUS_DATA=corpus vagitus evaluate --tune
    """
    from streams.app import segment_rules
    from streams.evaluation import evaluate as judge

    settings = Settings.read()
    recordings = list(_heard(settings, splits, quiet or as_json))
    if tune:
        console = Console(stderr=True)
        tried = track(list(_rules()), "Comparing rules", console=console, disable=quiet)
        results = [(rules, judge(recordings, rules)) for rules in tried]
        _show(_undominated(results), "Rules that no other beats on " + ", ".join(splits))
        return
    rules = segment_rules(settings)
    figures = judge(recordings, rules)
    if as_json:
        click.echo(json.dumps(_plain(figures)))
        return
    _show([(rules, figures)], "Segments on " + ", ".join(splits))
    kinds = [f"{kind} {n}" for kind, n in figures.false_segments.most_common() if n]
    click.echo(
        f"{figures.segments} segments, {figures.episodes} episodes; "
        f"{figures.false_segments.total()} false segments in {figures.other_seconds / 3600:.2f} h "
        f"without a cry: {', '.join(kinds) or 'none'}."
    )


def _heard(settings: Settings, splits: tuple[str, ...], quiet: bool) -> Iterator[Heard]:
    from streams.app import Models
    from streams.offline import OfflineScorer

    scorer = OfflineScorer(Models.load(settings).detector, settings)
    try:
        corpus = [r for r in read_manifest(corpus_folder()) if r.split in splits]
    except CorpusError as error:
        raise VagitusError(str(error)) from None
    console = Console(stderr=True)
    for recording in track(corpus, "Listening", console=console, disable=quiet):
        try:
            scores = scorer.scores(recording.path)
        except SourceError as error:
            click.echo(f"Left out: {error}", err=True)
            continue
        marks = recording.textgrid
        cries = cry_intervals(marks) if marks is not None else None
        yield Heard(scores, cries, recording.is_cry, recording.kind)


def _rules() -> Iterator[SegmentRules]:
    for rule in itertools.product(ONSETS, OFFSETS, HANGOVERS, MINIMA, SURES):
        rules = SegmentRules(*rule)
        says_nothing_new = 0 < rules.sure_score <= rules.onset_score
        if rules.offset_score <= rules.onset_score and not says_nothing_new:
            yield rules


def _undominated(
    results: list[tuple[SegmentRules, StreamFigures]],
) -> list[tuple[SegmentRules, StreamFigures]]:
    """From the best F1 down, each with fewer false segments than all before it."""
    kept: list[tuple[SegmentRules, StreamFigures]] = []
    for rules, figures in sorted(results, key=lambda r: (-r[1].f1, r[1].false_per_day)):
        if not kept or figures.false_per_day < kept[-1][1].false_per_day:
            kept.append((rules, figures))
    return kept


def _show(results: list[tuple[SegmentRules, StreamFigures]], title: str) -> None:
    table = Table(title=title, box=None, title_justify="left", header_style="bold")
    for name in ("onset", "offset", "hang", "min", "sure", "prec", "recall", "F1", "delay", "p95",
                 "false/day"):  # fmt: skip
        table.add_column(name, justify="right")
    for rules, figures in results:
        table.add_row(
            f"{rules.onset_score:g}",
            f"{rules.offset_score:g}",
            f"{rules.hangover_seconds} s",
            f"{rules.minimum_seconds} s",
            f"{rules.sure_score:g}",
            f"{figures.precision:.3f}",
            f"{figures.recall:.3f}",
            f"{figures.f1:.3f}",
            f"{figures.delay(0.5):.2f} s",
            f"{figures.delay(0.95):.2f} s",
            f"{figures.false_per_day:.0f}",
        )
    Console().print(table)


def _plain(figures: StreamFigures) -> dict[str, object]:
    plain = {
        "segments": figures.segments,
        "right_segments": figures.right_segments,
        "episodes": figures.episodes,
        "found_episodes": figures.found_episodes,
        "precision": figures.precision,
        "recall": figures.recall,
        "f1": figures.f1,
        "delay_median_seconds": figures.delay(0.5),
        "delay_p95_seconds": figures.delay(0.95),
        "other_seconds": figures.other_seconds,
        "false_segments": dict(figures.false_segments),
        "false_segments_per_monitor_day": figures.false_per_day,
    }
    # What there was nothing to count of is null: JSON knows no NaN.
    return {name: None if value != value else value for name, value in plain.items()}
