"""How often patients' alerts are false, on simulated wards: alerts per patient-day.

The sound of wards in which nobody's voice changes goes through the stream's own functions (scoring,
segments, embedding, baselines, courses) without a broker, as fast as they go. Every alert that
begins is a false one. With `--drift-after` one infant's voice moves away in each ward, and it is
told how many of its cries it takes until it is alerted about.

    python -m bench.alarms --monitors 12 --hours 4 --seed 101 --seed 102 --keep runs/alarms

Nearly all of the time goes into sound. With `--keep` each ward's cries stay there, embedded:
another rule or another personal model is then measured on the same cries in seconds, and a run that
was stopped goes on with the ward it was at. They are made anew when detector, embedder or the rules
of segments change; delete them when anything else before the embedding has.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from scipy.stats import chi2

from models.synthesis.ward import DRIFT_AMOUNT, SimulatedWard
from streams.admissions import Admissions
from streams.alerting.course import Course
from streams.alerting.notices import TEXTS
from streams.app import Models, segment_rules
from streams.baselines.judging import Baselines
from streams.hearing.arrival import Arrival
from streams.hearing.embedding import embed_segment
from streams.hearing.scoring import Scorer
from streams.records.admission import Admission
from streams.records.cry_embedding import CryEmbedding
from streams.records.deviation import DeviationRecord
from streams.records.stored_baseline import StoredBaseline
from streams.settings import Settings
from streams.sources.ward import WardSource

BATCH_CHUNKS = 256
DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600
CONFIDENCE = 0.95
UNUSUAL_P = 0.05
# Records take no time before this century: wards begin on 2026-01-01.
START_SECONDS = 1_767_225_600


@dataclass(frozen=True, slots=True)
class Plan:
    """One ward, and for how long it is heard."""

    monitors: int
    seconds: int
    seed: int
    cry_fraction: float = 0.1
    drift_at_seconds: int | None = None
    drift_amount: float = DRIFT_AMOUNT

    def ward(self) -> SimulatedWard:
        """The ward itself."""
        return SimulatedWard(
            self.monitors,
            self.seed,
            self.cry_fraction,
            drift_at_seconds=self.drift_at_seconds,
            drift_amount=self.drift_amount,
        )

    @property
    def days(self) -> float:
        """Patient-days."""
        return self.monitors * self.seconds / DAY_SECONDS


def heard(plan: Plan, models: Models, settings: Settings) -> Iterator[CryEmbedding]:
    """A ward's cries as they lie on `cry-embeddings`, in order."""
    ward = plan.ward()
    lying = [Admission(cot.monitor, cot.infant, cot.ward, cot.bed, 0) for cot in ward.cots]
    scorer = Scorer(models.detector, segment_rules(settings), Admissions(lying), 0)
    scorer.take_over(0, published=0)
    source = WardSource(ward, start_ms=1000 * START_SECONDS, seconds=plan.seconds)
    chunks = enumerate(source.chunks())
    while batch := list(islice(chunks, BATCH_CHUNKS)):
        scored = scorer.score([Arrival(c, c.waveform(), 0, offset) for offset, c in batch])
        for _, segment in scored.segments:
            yield CryEmbedding.decode(*embed_segment(models.embedder, segment).encode())


def cries(
    plan: Plan, models: Models, settings: Settings, keep: Path | None
) -> Iterable[CryEmbedding]:
    """A ward's cries, heard now or, if they are kept in `keep`, before."""
    if keep is None:
        yield from _told(plan, heard(plan, models, settings))
        return
    made_by = [models.detector.version, models.embedder.version, asdict(segment_rules(settings))]
    digest = blake2b(json.dumps([asdict(plan), *made_by]).encode(), digest_size=6).hexdigest()
    path = keep / f"ward-{plan.seed}-{digest}.jsonl"
    if not path.exists():
        keep.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".part").open("w") as file:
            for cry in _told(plan, heard(plan, models, settings)):
                key, value, headers = cry.encode()
                texts = {name: text.decode() for name, text in headers}
                print(json.dumps([key.decode(), value.hex(), texts]), file=file)
        path.with_suffix(".part").rename(path)
    for line in path.read_text().splitlines():
        key, value, texts = json.loads(line)
        headers = [(name, text.encode()) for name, text in texts.items()]
        yield CryEmbedding.decode(key.encode(), bytes.fromhex(value), headers)


def _told(plan: Plan, found: Iterable[CryEmbedding]) -> Iterator[CryEmbedding]:
    """Say at every hour how far a ward is."""
    hour = 1
    for number, cry in enumerate(found):
        if _second(cry) >= hour * HOUR_SECONDS:
            print(f"ward {plan.seed}: after {hour} h {number} cries", flush=True)
            hour += 1
        yield cry


def _second(said: CryEmbedding | DeviationRecord) -> float:
    """When a cry began, in the ward's own seconds."""
    return said.started_at_ms / 1000 - START_SECONDS


def deviations(found: Iterable[CryEmbedding], models: Models) -> Iterator[DeviationRecord]:
    """What the stream would say of cries, one by one."""
    baselines = Baselines(models.ward)
    stored: dict[str, StoredBaseline] = defaultdict(StoredBaseline)
    for cry in found:
        infant = cry.place.infant
        record, stored[infant] = baselines.observe(cry, stored[infant])
        yield record


def measure(plan: Plan, keep: Path | None = None) -> Counter[str]:
    """Hear one ward: cries, strange ones among those of usual voices, false alerts by name."""
    settings = Settings()
    models = Models.load(settings)
    drifting = plan.ward().drifting_infant
    courses: dict[str, Course] = defaultdict(Course)
    count: Counter[str] = Counter()
    for record in deviations(cries(plan, models, settings, keep), models):
        course = courses[record.infant]
        before = set(course.since_ms)
        course.hear(record)
        drifts = record.infant == drifting and _second(record) >= (plan.drift_at_seconds or 0)
        count["changed" if drifts else "usual"] += 1
        count["unusual"] += (record.p_value or 1) < UNUSUAL_P and not drifts
        count["strange"] += record.reason in ("deviant", "someone_else") and not drifts
        for name in set(course.since_ms) - before:
            count[name] += not drifts
            if drifts:
                print(
                    f"ward {plan.seed}: {name} after {count['changed']} cries of the changed voice",
                    flush=True,
                )
    return count


def at_most(events: int, days: float) -> float:
    """Upper bound of the rate of rare events, a day (exact, Poisson, one-sided)."""
    return float(chi2.ppf(CONFIDENCE, 2 * (events + 1)) / 2 / days)


def summary(count: Counter[str], days: float) -> str:
    """What was counted, in a line."""
    alerts = ", ".join(
        f"{name} {count[name]} ({count[name] / days:.2f} a day, "
        f"with {CONFIDENCE:.0%} at most {at_most(count[name], days):.2f})"
        for name in TEXTS
    )
    return (
        f"{days:.1f} patient-days, {count['usual']} cries of usual voices, of which "
        f"{count['unusual'] / max(count['usual'], 1):.1%} under p = {UNUSUAL_P} and "
        f"{count['strange'] / max(count['usual'], 1):.1%} under 0.01; false alerts: {alerts}"
    )


def main() -> None:
    """Play, count, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--monitors", type=int, default=12)
    parser.add_argument("--hours", type=float, default=4.0, help="of each ward")
    parser.add_argument("--seed", type=int, action="append", help="a ward; may be given again")
    parser.add_argument("--cry-fraction", type=float, default=0.1)
    parser.add_argument("--drift-after", type=float, metavar="HOURS")
    parser.add_argument("--drift-amount", type=float, default=DRIFT_AMOUNT, metavar="DEVIATIONS")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="of the wards' cries")
    parser.add_argument("--jobs", type=int, default=1, help="wards heard side by side")
    options = parser.parse_args()
    seconds = round(HOUR_SECONDS * options.hours)
    drift = options.drift_after and round(HOUR_SECONDS * options.drift_after)
    plans = [
        Plan(options.monitors, seconds, seed, options.cry_fraction, drift, options.drift_amount)
        for seed in options.seed or [0]
    ]
    total: Counter[str] = Counter()
    days = 0.0
    with ProcessPoolExecutor(options.jobs) as pool:
        found = pool.map(partial(measure, keep=options.keep), plans)
        for plan, count in zip(plans, found, strict=True):
            total += count
            days += plan.days
            print(f"ward {plan.seed}: {summary(count, plan.days)}", flush=True)
    print(f"all: {summary(total, days)}")


if __name__ == "__main__":
    main()
