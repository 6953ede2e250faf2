"""Every series by its name, labels and unit; which appear and leave with their infant."""

import re
import time
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from streams.alerting.course import Course
from streams.kafka.partitioning import partition_of
from streams.metrics.shown import BaselineFigures, Metrics, Share
from streams.records.admission import Admission
from streams.records.cry_scores import CryScore
from tests.streams.ward import deviation

INFANT = ("ward", "bed", "infant")
SERIES = {
    "vagitus_chunks_total": ("counter", ("outcome",)),
    "vagitus_chunk_age_seconds": ("histogram", ()),
    "vagitus_monitor_last_chunk_timestamp_seconds": ("gauge", ("ward", "monitor")),
    "vagitus_monitor_level_dbfs": ("gauge", ("ward", "monitor")),
    "vagitus_cry_active": ("gauge", INFANT),
    "vagitus_cry_changed_timestamp_seconds": ("gauge", INFANT),
    "vagitus_admitted_timestamp_seconds": ("gauge", (*INFANT, "monitor")),
    "vagitus_cry_seconds_total": ("counter", INFANT),
    "vagitus_segments_total": ("counter", ("stage",)),
    "vagitus_deviation_sigma": ("gauge", INFANT),
    "vagitus_deviation_p_value": ("gauge", INFANT),
    "vagitus_deviation_timestamp_seconds": ("gauge", INFANT),
    "vagitus_drift_sigma": ("gauge", INFANT),
    "vagitus_drifting": ("gauge", INFANT),
    "vagitus_baseline_segments": ("gauge", INFANT),
    "vagitus_learning_paused_timestamp_seconds": ("gauge", INFANT),
    "vagitus_gate_decisions_total": ("counter", ("decision", "reason")),
    "vagitus_baseline_acts_total": ("counter", ("what", "outcome")),
    "vagitus_inference_seconds": ("histogram", ("model",)),
    "vagitus_dead_letters_total": ("counter", ("reason",)),
    "vagitus_timeline_rows_total": ("counter", ()),
    "vagitus_timeline_failures_total": ("counter", ()),
    "vagitus_timeline_last_write_timestamp_seconds": ("gauge", ()),
    "vagitus_timeline_lag_records": ("gauge", ()),
    "vagitus_last_batch_timestamp_seconds": ("gauge", ()),
    "vagitus_monitor_seconds_total": ("counter", ("ward", "monitor", "sound")),
    "vagitus_deviant_cries": ("gauge", INFANT),
    "vagitus_drifting_cries": ("gauge", INFANT),
    "vagitus_last_received_timestamp_seconds": ("gauge", ()),
    "vagitus_last_commit_timestamp_seconds": ("gauge", ()),
    "vagitus_owned_partitions": ("gauge", ()),
    "vagitus_owned_ratio": ("gauge", ("share",)),
}
ADMISSION = Admission("mon-1", "infant-1", "nicu", "cot-1", 5000)
INFANT_1 = ("nicu", "cot-1", "infant-1")
PARTITIONS = 4
DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"


@pytest.fixture
def metrics() -> Metrics:
    """Of a worker that owns everything."""
    metrics = Metrics(CollectorRegistry(), PARTITIONS)
    metrics.baseline_of = lambda infant: BaselineFigures()
    for share in Share:
        metrics.own(share, range(PARTITIONS))
    return metrics


def course(*said: object) -> Course:
    """The course of an infant of which this was said."""
    course = Course()
    for record in said:
        course.hear(record)
    return course


def heard(metrics: Metrics, level_dbfs: float = -30.0, clipped_fraction: float = 0.0, at: int = 0):
    score = CryScore("mon-1", 1, 5000, 0.1, level_dbfs, clipped_fraction)
    metrics.heard("nicu", at or partition_of("mon-1", PARTITIONS), score)


def of_infant(metrics: Metrics, infant: str = "infant-1") -> dict[str, float]:
    """The values of the series of one infant, by name without its prefix."""
    page = generate_latest(metrics.registry).decode()
    return {
        sample.name.removeprefix("vagitus_"): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.labels.get("infant") == infant and not sample.name.endswith("_created")
    }


def of_monitor(metrics: Metrics, name: str, monitor: str = "mon-1") -> float | None:
    labels = {"ward": "nicu", "monitor": monitor}
    return metrics.registry.get_sample_value(f"vagitus_{name}", labels)


def test_there_are_these_series_and_no_others(metrics):
    made = {}
    for series in vars(metrics).values():
        if isinstance(series, MetricWrapperBase):
            suffix = "_total" if series._type == "counter" else ""
            made[series._name + suffix] = (series._type, series._labelnames)
    assert made == SERIES
    exposed = {family.name for family in metrics.registry.collect()}
    assert exposed == {name.removesuffix("_total") for name in SERIES}


def test_the_page_of_metrics_names_all_of_them_and_how_many_an_infant_has(metrics):
    page = DOCUMENT.read_text()
    alerts = {name for name in re.findall(r"vagitus_\w+", page) if "alert" in name}
    alerts |= {"vagitus_certificate_expiry_timestamp_seconds", "vagitus_faust_"}
    assert set(re.findall(r"vagitus_\w+", page)) - alerts == SERIES.keys()
    everything_shown(metrics)
    shown = generate_latest(metrics.registry).decode().splitlines()
    own = [line for line in shown if 'infant="infant-1"' in line or 'monitor="mon-1"' in line]
    assert f"at most {len(own)} series" in page


def test_two_registries_do_not_collide():
    one, other = Metrics(CollectorRegistry()), Metrics(CollectorRegistry())
    one.begun = 3
    assert one.registry.get_sample_value("vagitus_owned_partitions") == 3
    assert other.registry.get_sample_value("vagitus_owned_partitions") == 0


def test_histograms_tell_real_time_from_late_and_a_core_from_a_stall(metrics):
    metrics.chunk_age.observe(0.9)
    metrics.chunk_age.observe(700)
    metrics.inference.labels("detector-1").observe(0.004)
    value = metrics.registry.get_sample_value
    counts = [
        value("vagitus_chunk_age_seconds_bucket", {"le": le}) for le in ("0.75", "1.0", "900.0")
    ]
    assert counts == [0, 1, 2]
    labels = {"model": "detector-1", "le": "0.005"}
    assert value("vagitus_inference_seconds_bucket", labels) == 1


def test_an_admitted_infant_begins_quiet_and_its_monitor_unheard(metrics):
    metrics.admit(ADMISSION)
    assert of_infant(metrics) == {
        "cry_active": 0,
        "cry_changed_timestamp_seconds": 0,
        "admitted_timestamp_seconds": 5,
        "cry_seconds_total": 0,
        "baseline_segments": 0,
        "drifting": 0,
        "learning_paused_timestamp_seconds": 0,
    }
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") == 0


def test_when_a_monitor_was_heard_is_shown_by_who_takes_it_over(metrics):
    known = {"mon-1": 7000}
    metrics.heard_of = lambda monitor: known.get(monitor, -1)
    metrics.admit(ADMISSION)
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") == 7
    known["mon-1"] = 9000  # what the table says comes later than the partition
    metrics.last_heard("mon-1")
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") == 9
    known["mon-1"] = 8000
    metrics.last_heard("mon-1")
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") == 9


def test_what_was_heard_before_the_admission_is_not_of_this_infant(metrics):
    metrics.heard_of = lambda monitor: 4000
    metrics.admit(ADMISSION)
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") == 0


def test_what_is_remembered_of_another_workers_monitor_is_not_shown(metrics):
    metrics.heard_of = lambda monitor: 7000
    metrics.admit(ADMISSION)
    metrics.own(Share.SOUND, ())
    metrics.last_heard("mon-1")
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") is None


def test_a_monitor_whose_clock_is_ahead_is_heard_now_and_not_in_an_hour(metrics):
    metrics.admit(ADMISSION)
    ahead_ms = round(1000 * (time.time() + 3600))
    score = CryScore("mon-1", 1, ahead_ms, 0.1, -30.0, 0.0)
    metrics.heard("nicu", partition_of("mon-1", PARTITIONS), score)
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") <= time.time()
    metrics.discharge(ADMISSION)
    metrics.heard_of = lambda monitor: ahead_ms
    metrics.admit(ADMISSION)
    assert 5 < of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") <= time.time()


def test_since_when_an_infant_cries_or_is_quiet_changes_only_with_that(metrics):
    metrics.admit(ADMISSION)
    since = []
    for active in (False, True, True, False):
        metrics.crying(("nicu", "cot-1", "infant-1"), active)
        shown = of_infant(metrics)
        assert shown["cry_active"] == active
        since.append(shown["cry_changed_timestamp_seconds"])
    quiet, began, still, ended = since
    assert quiet == 0 < began == still < ended


def test_a_cry_is_shown_with_its_infant(metrics):
    said = deviation(sigma=2.5, p_value=0.02, drift_sigma=1.5, drifting=True)
    metrics.admit(ADMISSION)
    metrics.decided(said)
    metrics.course(INFANT_1, course(said))
    shown = of_infant(metrics)
    assert (shown["deviation_sigma"], shown["deviation_p_value"]) == (2.5, 0.02)
    assert (shown["drift_sigma"], shown["drifting"], shown["baseline_segments"]) == (1.5, 1, 9)
    assert shown["deviation_timestamp_seconds"] == deviation().started_at_ms / 1000
    counted = {"decision": "accepted", "reason": "normal"}
    assert metrics.registry.get_sample_value("vagitus_gate_decisions_total", counted) == 1


def test_what_is_not_known_of_a_cry_is_not_shown_nor_what_was_known_of_the_one_before(metrics):
    metrics.admit(ADMISSION)
    for said in (deviation(), deviation(3, sigma=None, p_value=None, drift_sigma=None)):
        metrics.decided(said)
        metrics.course(INFANT_1, course(said))
    assert not {"deviation_sigma", "deviation_p_value", "drift_sigma"} & set(of_infant(metrics))


def test_a_cry_of_nobody_is_counted_and_names_no_infant(metrics):
    metrics.decided(deviation(infant="", gate="refused", reason="unassigned"))
    assert of_infant(metrics, "") == {}
    counted = {"decision": "refused", "reason": "unassigned"}
    assert metrics.registry.get_sample_value("vagitus_gate_decisions_total", counted) == 1


def everything_shown(metrics: Metrics) -> None:
    metrics.admit(ADMISSION)
    metrics.decided(deviation())
    metrics.course(INFANT_1, course(deviation()))
    heard(metrics)


def test_with_the_discharge_every_series_of_infant_and_monitor_leaves(metrics):
    everything_shown(metrics)
    metrics.admit(Admission("mon-2", "infant-2", "nicu", "cot-2", 0))
    metrics.discharge(ADMISSION)
    assert of_infant(metrics) == {}
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") is None
    assert of_monitor(metrics, "monitor_level_dbfs") is None
    assert of_infant(metrics, "infant-2")
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds", "mon-2") == 0


def test_a_discharge_of_an_infant_that_was_never_heard_is_harmless(metrics):
    metrics.discharge(ADMISSION)
    assert of_infant(metrics) == {}


def test_what_comes_after_the_discharge_brings_no_series_back(metrics):
    everything_shown(metrics)
    metrics.discharge(ADMISSION)
    metrics.decided(deviation(3))
    metrics.course(INFANT_1, course(deviation(3)))
    metrics.crying(INFANT_1, True)
    metrics.cried(INFANT_1, 4.0)
    heard(metrics)
    assert of_infant(metrics) == {}
    assert of_monitor(metrics, "monitor_level_dbfs") is None


def test_an_infant_that_gets_another_monitor_keeps_its_series(metrics):
    everything_shown(metrics)
    metrics.admit(Admission("mon-9", "infant-1", "nicu", "cot-1", 0))
    metrics.discharge(ADMISSION)
    assert of_infant(metrics)["deviation_sigma"] == 0.5
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") is None


@pytest.mark.parametrize(
    ("level_dbfs", "clipped_fraction", "sound"),
    [(-30, 0, "usable"), (-3, 0.2, "clipped"), (-96, 0, "quiet")],
)
def test_a_second_counts_as_what_can_be_made_of_its_sound(
    metrics, level_dbfs, clipped_fraction, sound
):
    metrics.admit(ADMISSION)
    heard(metrics, level_dbfs, clipped_fraction)
    counted = {
        name: metrics.registry.get_sample_value(
            "vagitus_monitor_seconds_total", {"ward": "nicu", "monitor": "mon-1", "sound": name}
        )
        for name in ("usable", "clipped", "quiet")
    }
    assert counted == {"usable": 0, "clipped": 0, "quiet": 0} | {sound: 1}
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") == 5


@pytest.mark.parametrize(
    ("share", "key", "shown"),
    [
        (
            Share.SOUND,
            "mon-1",
            {"cry_active", "cry_changed_timestamp_seconds", "admitted_timestamp_seconds",
             "cry_seconds_total"},
        ),
        (
            Share.BASELINES,
            "infant-1",
            {"baseline_segments", "drift_sigma", "drifting", "learning_paused_timestamp_seconds"},
        ),
        (
            Share.COURSES,
            "infant-1",
            {"deviation_sigma", "deviation_p_value", "deviation_timestamp_seconds",
             "deviant_cries", "drifting_cries"},
        ),
    ],
)  # fmt: skip
def test_with_its_partition_goes_what_hangs_on_it_and_nothing_else(metrics, share, key, shown):
    everything_shown(metrics)
    before, partition = of_infant(metrics), partition_of(key, PARTITIONS)
    metrics.own(share, set(range(PARTITIONS)) - {partition})
    assert before.keys() - of_infant(metrics).keys() == shown
    everything_shown(metrics)  # what was under way when it went
    assert before.keys() - of_infant(metrics).keys() == shown
    assert (of_monitor(metrics, "monitor_level_dbfs") is None) == (share is Share.SOUND)
    metrics.own(share, {partition})
    everything_shown(metrics)
    assert of_infant(metrics) == before


def test_how_much_is_owned_is_shown_by_share(metrics):
    metrics.own(Share.SOUND, {0, 3})
    metrics.own(Share.COURSES, ())
    value = metrics.registry.get_sample_value
    owned = {share: value("vagitus_owned_ratio", {"share": share}) for share in Share}
    assert owned == {"sound": 0.5, "baselines": 1, "courses": 0}


def test_whoever_takes_an_infant_over_shows_its_baseline_as_it_is(metrics):
    figures = BaselineFigures(7, drift_sigma=0.4, drifting=True, paused_since_ms=9000)
    metrics.baseline_of = {"infant-1": figures}.get
    metrics.own(Share.BASELINES, ())
    metrics.admit(ADMISSION)
    assert "baseline_segments" not in of_infant(metrics)
    metrics.own(Share.BASELINES, range(PARTITIONS))
    shown = of_infant(metrics)
    assert (shown["baseline_segments"], shown["drift_sigma"], shown["drifting"]) == (7, 0.4, 1)
    assert shown["learning_paused_timestamp_seconds"] == 9


def test_with_another_bed_the_baseline_stays_what_it_was(metrics):
    metrics.baseline_of = lambda infant: BaselineFigures(7)
    metrics.admit(ADMISSION)
    metrics.discharge(ADMISSION)
    metrics.admit(Admission("mon-1", "infant-1", "nicu", "cot-2", 5000))
    assert of_infant(metrics)["baseline_segments"] == 7


def test_a_monitor_that_is_sent_to_another_partition_is_shown_by_whoever_hears_it(metrics):
    named = partition_of("mon-1", PARTITIONS)
    other = (named + 1) % PARTITIONS or 1
    metrics.own(Share.SOUND, set(range(PARTITIONS)) - {named})
    metrics.admit(ADMISSION)
    heard(metrics, at=named)  # of before it was taken away
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") is None
    heard(metrics, at=other)
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") == 5
    assert of_infant(metrics)["cry_active"] == 0
    metrics.own(Share.SOUND, ())
    assert of_monitor(metrics, "monitor_last_chunk_timestamp_seconds") is None


def test_a_refusal_counts_from_zero_so_that_the_first_one_is_a_rise(metrics):
    reasons = {"reason": "wrong_length"}
    assert metrics.registry.get_sample_value("vagitus_dead_letters_total", reasons) == 0


def test_an_act_is_counted_and_its_infants_baseline_shown_as_it_is_after_it(metrics):
    metrics.admit(ADMISSION)
    metrics.decided(deviation(baseline_segments=9, drifting=True, drift_sigma=1.2))
    metrics.act("baseline_reset", True, "infant-1")
    shown = of_infant(metrics)
    assert (shown["baseline_segments"], shown["drifting"]) == (0, 0)
    assert "drift_sigma" not in shown
    metrics.baseline_of = lambda infant: BaselineFigures(7, drift_sigma=0.4)
    metrics.act("baseline_reset", False, "infant-1")
    assert of_infant(metrics)["drift_sigma"] == 0.4
    metrics.act("baseline_reset", True, "infant-2")
    assert of_infant(metrics, "infant-2") == {}
    metrics.baseline_of = lambda infant: None
    metrics.act("baseline_reset", True, "infant-1")
    assert of_infant(metrics)["baseline_segments"] == 7
    counted = "vagitus_baseline_acts_total"
    labels = {"what": "baseline_reset", "outcome": "applied"}
    assert metrics.registry.get_sample_value(counted, labels) == 3
    labels["outcome"] = "refused"
    assert metrics.registry.get_sample_value(counted, labels) == 1
