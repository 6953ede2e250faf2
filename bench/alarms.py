"""How often patients' alerts are false, on the simulated ward: alerts per patient-day.

The sound of a ward in which nobody's voice changes goes through the stream's own functions
(scoring, segments, embedding, baselines, courses) without a broker, as fast as they go. Every alert
that begins is a false one. With `--drift-after` one infant's voice moves away, and it is told how
many of its cries it takes until it is alerted about.

    python bench/alarms.py --hours 24 --monitors 8
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice

from models.synthesis.ward import SimulatedWard
from streams.admissions import Admissions
from streams.alerting.course import Course
from streams.alerting.notices import TEXTS
from streams.app import Models, segment_rules
from streams.arrival import Arrival
from streams.baselines import Baselines
from streams.embedding import embed_segment
from streams.records.admission import Admission
from streams.records.deviation import DeviationRecord
from streams.records.stored_baseline import StoredBaseline
from streams.scoring import Scorer
from streams.settings import Settings
from streams.sources.ward import WardSource

BATCH_CHUNKS = 256
DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600


def deviations(ward: SimulatedWard, seconds: int) -> Iterator[DeviationRecord]:
    """What the stream would say of a ward, cry by cry."""
    settings = Settings()
    models = Models.load(settings)
    lying = [Admission(cot.monitor, cot.infant, cot.ward, cot.bed, 0) for cot in ward.cots]
    scorer = Scorer(models.detector, segment_rules(settings), Admissions(lying), 0)
    scorer.take_over(0, published=0)
    baselines = Baselines(models.ward)
    stored: dict[str, StoredBaseline] = defaultdict(StoredBaseline)
    chunks = enumerate(WardSource(ward, start_ms=DAY_SECONDS * 1000, seconds=seconds).chunks())
    while batch := list(islice(chunks, BATCH_CHUNKS)):
        scored = scorer.score([Arrival(c, c.waveform(), 0, offset) for offset, c in batch])
        for _, segment in scored.segments:
            embedding = embed_segment(models.embedder, segment)
            infant = segment.place.infant
            record, stored[infant] = baselines.observe(embedding, stored[infant])
            yield record


def main() -> None:
    """Play, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--monitors", type=int, default=8)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cry-fraction", type=float, default=0.1)
    parser.add_argument("--drift-after", type=float, metavar="HOURS")
    options = parser.parse_args()
    ward = SimulatedWard(
        options.monitors, options.seed, options.cry_fraction,
        drift_at_seconds=options.drift_after and 3600 * options.drift_after,
    )  # fmt: skip
    seconds = round(3600 * options.hours)
    courses: dict[str, Course] = defaultdict(Course)
    count: Counter[str] = Counter()
    report_at = HOUR_SECONDS
    for record in deviations(ward, seconds):
        at = record.started_at_ms / 1000 - DAY_SECONDS
        if at >= report_at:
            report(count, options.monitors * at / DAY_SECONDS)
            report_at += HOUR_SECONDS
        course = courses[record.infant]
        before = set(course.since_ms)
        course.hear(record)
        drifts = record.infant == ward.drifting_infant and at >= ward.drift_at_seconds
        count["changed" if drifts else "usual"] += 1
        count["strange"] += record.reason in ("deviant", "someone_else") and not drifts
        for name in set(course.since_ms) - before:
            count[name] += not drifts
            if drifts:
                print(f"{name}: after {count['changed']} cries of the changed voice", flush=True)
    report(count, options.monitors * seconds / DAY_SECONDS)


def report(count: Counter[str], days: float) -> None:
    """Print what there has been so far."""
    alerts = ", ".join(f"{name} {count[name]} ({count[name] / days:.2f} a day)" for name in TEXTS)
    print(
        f"{days:.2f} patient-days, {count['usual']} cries of usual voices, of which "
        f"{count['strange']} under p = 0.01; false alerts: {alerts}",
        flush=True,
    )


if __name__ == "__main__":
    main()
