"""From embeddings to deviations and stored baselines, as the deviate agent calls it."""

from dataclasses import replace

import numpy as np
import pytest

from models.deviation.baseline import READY_AFTER
from models.deviation.state import StateError
from models.deviation.ward import WardModel
from streams.baselines.judging import Baselines
from streams.errors import Refusal, RefusedMessage
from streams.records.cry_embedding import CryEmbedding
from streams.records.place import Place
from streams.records.stored_baseline import REMEMBERED, StoredBaseline
from tests.streams.ward import PLACE, START_MS


@pytest.fixture(scope="module")
def ward() -> WardModel:
    return WardModel.load()


def usual(ward: WardModel, number: int, **changes: object) -> CryEmbedding:
    """A cry of an infant in the middle of the shipped ward."""
    rng = np.random.default_rng(number)
    vector = ward.mean + 0.02 * rng.normal(size=ward.size)
    return cry((vector / np.linalg.norm(vector)).astype(np.float32), number, **changes)


def cry(embedding: np.ndarray, number: int = 0, **changes: object) -> CryEmbedding:
    made = CryEmbedding(
        segment_id=f"mon-1@{number}",
        place=PLACE,
        started_at_ms=START_MS + 10_000 * number,
        seconds=3.0,
        cry_score=0.95,
        level_dbfs=-25.0,
        noise_dbfs=-60.0,
        clipped_fraction=0.0,
        embedder_version="identity-1",
        embedding=embedding,
    )
    return replace(made, **changes)


def run(ward: WardModel, cries: list[CryEmbedding], stored: StoredBaseline | None = None):
    """Records of cries one after another, each from what the one before stored as bytes."""
    baselines = Baselines(ward)
    stored = stored or StoredBaseline()
    records = []
    for heard in cries:
        record, stored = baselines.observe(heard, StoredBaseline.decode(stored.encode()))
        records.append(record)
    return records, stored


def test_an_infant_is_learned_until_it_is_ready(ward):
    records, _ = run(ward, [usual(ward, n) for n in range(READY_AFTER + 2)])
    assert [r.baseline_segments for r in records] == list(range(1, READY_AFTER + 3))
    assert [r.state for r in records] == ["learning"] * (READY_AFTER - 1) + ["ready"] * 3
    assert (records[0].sigma, records[0].p_value) == (None, None)
    assert records[-1].p_value > 0.01
    assert (records[-1].gate, records[-1].reason) == ("accepted", "normal")


def test_a_record_says_which_cry_and_what_scored_it(ward):
    (record,), _ = run(ward, [usual(ward, 7)])
    assert (record.infant, record.ward, record.bed, record.monitor) == (
        "infant-1", "nicu", "cot-1", "mon-1",
    )  # fmt: skip
    assert (record.segment_id, record.started_at_ms, record.seconds) == (
        "mon-1@7", START_MS + 70_000, 3.0,
    )  # fmt: skip
    assert ward.version in record.baseline_version
    assert record.id == f"mon-1@7#{record.baseline_version}"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seconds": 0.5}, "too_short"),
        ({"cry_score": 0.2}, "no_cry"),
        ({"level_dbfs": -80.0}, "too_quiet"),
        ({"clipped_fraction": 0.5}, "clipped"),
        ({"noise_dbfs": -25.0}, "too_noisy"),
    ],
)
def test_each_property_of_a_cry_reaches_the_gate(ward, changes, reason):
    (record,), _ = run(ward, [usual(ward, 0, **changes)])
    assert (record.gate, record.reason, record.baseline_segments) == ("refused", reason, 0)


def test_a_strange_cry_is_said_to_be_and_not_learned(ward):
    _, stored = run(ward, [usual(ward, n) for n in range(READY_AFTER + 4)])
    strange = -usual(ward, 99).embedding
    (record,), _ = run(ward, [cry(strange, 99)], stored)
    assert record.p_value <= 0.01 < 2.0 < record.sigma
    assert (record.gate, record.baseline_segments) == ("refused", READY_AFTER + 4)


def test_a_cry_that_was_held_back_is_named_among_the_learned_once_usual_ones_have_followed(ward):
    _, stored = run(ward, [usual(ward, n) for n in range(12)])
    away = 0.4 * ward.transform[0] / np.linalg.norm(ward.transform[0])
    held = cry((usual(ward, 12).embedding + away).astype(np.float32), 12)
    records, stored = run(ward, [held, usual(ward, 13), usual(ward, 14)], stored)
    assert [r.gate for r in records] == ["held", "accepted", "accepted"]
    assert [r.baseline_segments for r in records] == [12, 13, 15]
    assert [name for name, _ in stored.learned[-3:]] == ["mon-1@13", "mon-1@12", "mon-1@14"]
    assert stored.learned[-2][1] == held.started_at_ms
    assert (stored.decisions["odd"], stored.heard) == (1, 15)


def test_of_a_monitor_without_an_admission_nothing_is_learned(ward):
    stranger = Place("mon-1")
    (record,), stored = run(ward, [usual(ward, 0, place=stranger)])
    assert (record.state, record.gate, record.reason) == ("unassigned", "refused", "unassigned")
    assert (record.sigma, record.infant, record.baseline_segments) == (None, "", 0)
    assert stored == StoredBaseline(applied=("mon-1@0",))


def test_the_last_segments_are_remembered_and_older_ones_forgotten(ward):
    many = [usual(ward, n, place=Place("mon-1")) for n in range(REMEMBERED + 3)]
    _, stored = run(ward, many)
    assert stored.applied == tuple(f"mon-1@{n}" for n in range(3, REMEMBERED + 3))


def test_a_baseline_that_cannot_be_read_is_not_guessed_at(ward):
    broken = StoredBaseline(("mon-1@4",), b"\x00broken")
    with pytest.raises(StateError):
        run(ward, [usual(ward, 5)], broken)
    assert Baselines(ward).summary("infant-1", broken) is None


@pytest.mark.parametrize(
    "broken", [{"embedding": np.full(192, np.nan, np.float32)}, {"level_dbfs": float("inf")}]
)
def test_a_number_that_is_not_finite_is_refused_by_its_segment(ward, broken):
    with pytest.raises(RefusedMessage, match="mon-1@3") as refusal:
        run(ward, [replace(usual(ward, 3), **broken)])
    assert refusal.value.refusal is Refusal.NON_FINITE
