"""Chunks become scores and segments; whoever takes over comes to the same ones."""

import numpy as np
import pytest

from streams.admissions import Admissions
from streams.hearing.scoring import Outcome, Scorer
from streams.hearing.segments import SegmentMark, SegmentRules
from streams.kafka.offsets import HeldOffsets, Progress
from streams.records.admission import Admission
from tests.streams.loudness import LoudnessDetector, arrival

RULES = SegmentRules(onset_score=0.5, offset_score=0.3, hangover_seconds=2, minimum_seconds=1)
ADMISSIONS = Admissions([Admission("a", "infant-1", "nicu", "cot-1", 0)])


def make_scorer(rules: SegmentRules = RULES) -> Scorer:
    scorer = Scorer(LoudnessDetector(), rules, ADMISSIONS, silent_after_seconds=5)
    scorer.take_over(0, published=0)
    return scorer


def hear(scorer: Scorer, loudness: list[float], monitor: str = "a", first: int = 0):
    return scorer.score(
        [arrival(monitor, first + i, value, first + i) for i, value in enumerate(loudness)]
    )


def test_every_second_gets_a_score_in_order():
    scored = hear(make_scorer(), [0.1, 0.9, 0.2])
    assert [s.sequence for s in scored.scores[0]] == [1_700_000_000 + i for i in range(3)]
    assert scored.outcomes == [Outcome.SCORED] * 3


def test_scores_do_not_depend_on_how_seconds_are_batched():
    together = hear(make_scorer(), [0.1, 0.9, 0.2, 0.7])
    scorer = make_scorer()
    apart = [hear(scorer, [value], first=i) for i, value in enumerate([0.1, 0.9, 0.2, 0.7])]
    assert [s.score for s in together.scores[0]] == [s.scores[0][0].score for s in apart]


def test_a_cry_becomes_one_segment_without_the_silence_after_it():
    scored = hear(make_scorer(), [0.0, 0.9, 0.8, 0.9, 0.0, 0.0, 0.0])
    ((partition, segment),) = scored.segments
    assert (partition, segment.seconds, segment.place.infant) == (0, 3, "infant-1")
    assert segment.started_at_ms == 1_700_000_001_000
    assert segment.id == "a@2023-11-14T22:13:21.000Z"
    assert len(segment.waveform()) == 3 * 8000


def test_the_rooms_noise_is_that_of_the_quieter_second_after_the_cry():
    loudness = [0.9, 0.9, 0.2, 0.01]
    scored = hear(make_scorer(), loudness)
    ((_, segment),) = scored.segments
    levels = [score.level_dbfs for score in scored.scores[0]]
    assert segment.noise_dbfs == levels[3] < levels[2] < segment.level_dbfs


def test_of_a_cry_that_breaks_off_the_rooms_noise_is_not_known():
    scorer = make_scorer()
    hear(scorer, [0.9, 0.9])
    ((_, segment),) = scorer.sweep(now=None).segments
    assert segment.noise_dbfs is None


def test_a_short_dip_does_not_end_a_cry():
    scored = hear(make_scorer(), [0.9, 0.0, 0.9, 0.0, 0.0])
    assert [segment.seconds for _, segment in scored.segments] == [3]


def test_an_endless_cry_is_cut_where_the_longest_segment_ends():
    rules = SegmentRules(0.5, 0.3, 2, 1, maximum_seconds=4)
    scored = hear(make_scorer(rules), [0.9] * 9)
    assert [segment.seconds for _, segment in scored.segments] == [4, 4]


def test_a_gap_closes_the_segment_and_forgets_the_context():
    scorer = make_scorer()
    hear(scorer, [0.9, 0.9])
    scored = scorer.score([arrival("a", 10, 0.9, 2)])
    assert scored.outcomes == [Outcome.GAP]
    assert [segment.seconds for _, segment in scored.segments] == [2]
    assert scored.scores[0][0].score == pytest.approx(0.9, abs=1e-4)


def test_a_duplicate_is_scored_once():
    scorer = make_scorer()
    hear(scorer, [0.1, 0.2])
    again = scorer.score([arrival("a", 1, 0.2, 2)])
    assert again.outcomes == [Outcome.DUPLICATE]
    assert again.scores == {}


def test_a_second_that_comes_late_is_scored_and_leaves_the_order_alone():
    scorer = make_scorer()
    scored = scorer.score(
        [arrival("a", 0, 0.1, 0), arrival("a", 2, 0.1, 1), arrival("a", 1, 0.1, 2)]
    )
    assert scored.outcomes == [Outcome.SCORED, Outcome.GAP, Outcome.LATE]
    assert len(scored.scores[0]) == 3
    assert scorer.score([arrival("a", 3, 0.1, 3)]).outcomes == [Outcome.SCORED]


def test_a_clock_set_back_begins_anew_and_silences_nobody():
    scorer = make_scorer()
    hear(scorer, [0.9, 0.9, 0.0, 0.0], first=1000)
    scored = scorer.score([arrival("a", i, v, 2000 + i) for i, v in enumerate([0.9, 0.0, 0.0])])
    assert scored.outcomes[0] is Outcome.CLOCK
    assert [segment.seconds for _, segment in scored.segments] == [1]


def test_a_topic_made_anew_silences_nobody():
    scorer = Scorer(LoudnessDetector(), RULES, ADMISSIONS, silent_after_seconds=5)
    scorer.take_over(0, 0, {"a": SegmentMark(ended_offset=10**9, ended_ms=1_600_000_000_000)})
    assert len(hear(scorer, [0.9, 0.0, 0.0]).segments) == 1


def test_a_monitor_that_falls_silent_gives_up_its_cry():
    scorer = make_scorer()
    hear(scorer, [0.9, 0.9])
    assert scorer.sweep(now=0.0).segments == []
    swept = scorer.sweep(now=float("inf"))
    assert [segment.seconds for _, segment in swept.segments] == [2]
    assert scorer.floors() == {}


def test_when_a_silent_monitor_was_heard_is_remembered_by_its_next_owner():
    scorer = make_scorer()
    assert scorer.heard_ms("a") == -1
    hear(scorer, [0.1, 0.9, 0.9, 0.0])
    marks = {name: mark for name, (_, mark) in scorer.sweep(now=float("inf")).marks.items()}
    assert marks["a"].heard_ms == 1_700_000_003_000
    assert scorer.sweep(now=float("inf")).marks == {}
    successor = Scorer(LoudnessDetector(), RULES, ADMISSIONS, silent_after_seconds=5)
    successor.take_over(0, published=4, marks=marks)
    assert successor.heard_ms("a") == 1_700_000_003_000


def test_that_a_monitor_is_heard_is_remembered_now_and_then():
    scorer, rows = make_scorer(), []
    for first in range(0, 1300, 100):
        rows += hear(scorer, [0.0] * 100, first=first).marks.values()
    assert [mark.heard_ms - 1_700_000_000_000 for _, mark in rows] == [0, 600_000, 1_200_000]


def test_a_cry_that_ends_leaves_it_known_when_its_monitor_was_heard():
    scored = hear(make_scorer(), [0.9, 0.9, 0.0, 0.0])
    ((_, mark),) = scored.marks.values()
    assert (mark.ended_offset, mark.heard_ms) == (1, 1_700_000_003_000)


def test_a_monitor_without_an_admission_is_scored_and_belongs_to_nobody():
    scored = hear(make_scorer(), [0.9, 0.0, 0.0], monitor="stranger")
    ((_, segment),) = scored.segments
    assert not segment.place.assigned
    assert segment.place.key == b"unassigned:stranger"


def test_both_sample_rates_are_scored_in_one_batch():
    scored = make_scorer().score(
        [arrival("a", 0, 0.2, 0), arrival("b", 0, 0.6, 1, sample_rate_hz=16000)]
    )
    assert [round(s.score, 2) for s in scored.scores[0]] == [0.2, 0.6]


@pytest.mark.parametrize("seed", range(40))
def test_a_successor_comes_to_the_same_scores_and_segments(seed):
    rng = np.random.default_rng(seed)
    log = random_log(rng, monitors=4, seconds=60)
    expected_scores, expected_segments = play_through(log)
    scores: dict[tuple[str, int], float] = {}
    segments: dict[str, bytes] = {}
    marks: dict[str, SegmentMark] = {}
    progress = Progress(0, 0)
    while True:
        scorer = Scorer(LoudnessDetector(), RULES, ADMISSIONS, silent_after_seconds=5)
        scorer.take_over(0, progress.published, marks)
        held = HeldOffsets()
        held.resume(0, progress)
        position = progress.floor
        crash_at = min(len(log), progress.published + int(rng.integers(5, 60)))
        acknowledged = progress.floor
        while position < crash_at:
            size = int(rng.integers(1, 9))
            batch = log[position : min(position + size, crash_at)]
            scored = scorer.score(batch)
            for score in scored.scores.get(0, []):
                key = (score.monitor, score.captured_at_ms)
                assert scores.setdefault(key, score.score) == score.score
            for _, segment in scored.segments:
                assert segments.setdefault(segment.id, segment.encode()) == segment.encode()
            marks.update({name: mark for name, (_, mark) in scored.marks.items()})
            position = batch[-1].offset + 1
            held.hold(0, position, scorer.floors().get(0, position))
            if rng.random() < 0.5:  # commits fall anywhere, in the middle of a batch too
                acknowledged = int(rng.integers(batch[0].offset, position + 1))
                progress = held.progress(0, max(acknowledged, progress.floor))
        if crash_at == len(log):
            break
    assert scores == expected_scores
    assert segments == expected_segments


def random_log(rng: np.random.Generator, monitors: int, seconds: int) -> list:
    """Chunks of some monitors that cry now and then, fall silent, and begin late."""
    log = []
    crying = np.zeros(monitors, bool)
    begins = rng.integers(0, 20, monitors)
    for second in range(seconds):
        for monitor in range(monitors):
            crying[monitor] ^= rng.random() < 0.2
            missing = rng.random() < 0.03
            if second < begins[monitor] or missing:
                continue
            loudness = rng.uniform(0.4, 0.95) if crying[monitor] else rng.uniform(0.0, 0.45)
            log.append(arrival(f"m{monitor}", second, loudness, len(log)))
    return log


def play_through(log: list) -> tuple[dict, dict]:
    scored = make_scorer().score(log)
    return (
        {(s.monitor, s.captured_at_ms): s.score for s in scored.scores[0]},
        {segment.id: segment.encode() for _, segment in scored.segments},
    )
