"""The contract of the timeline's store, on SQLite and on a real PostgreSQL."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text

from streams.errors import RefusedMessage, TimelineError
from streams.records.place import Place
from streams.settings import Settings
from streams.timeline import tables
from streams.timeline.acts import ActKind, record_act
from streams.timeline.store import TimelineStore, timeline_url
from tests.streams.ward import START_MS, deviation

OTHER = Place("mon-2", "infant-2", "nicu", "cot-2")
UNKNOWN = {"sigma": None, "p_value": None, "drift_sigma": None}


def test_what_is_written_is_read_back_field_by_field_in_time_order(store):
    rows = [deviation(2, drifting=True), deviation(1, **UNKNOWN), deviation(0, sigma=-1.25e-3)]
    store.write(rows)
    assert list(store.cries("infant-1")) == rows[::-1]


def test_a_row_that_is_written_again_is_there_once_and_as_it_was_last(store):
    store.write([deviation(0), deviation(1)])
    store.write([deviation(1), deviation(0), deviation(1, sigma=3.0)])
    assert list(store.cries()) == [deviation(0), deviation(1, sigma=3.0)]


def test_a_replay_changes_nothing(store):
    rows = [deviation(second) for second in range(50)]
    for _ in range(2):
        for start in range(0, 50, 7):
            store.write(rows[start : start + 7])
    assert list(store.cries()) == rows


def test_an_infants_cries_are_its_own_and_of_the_time_asked_for(store):
    mine = [deviation(second) for second in range(5)]
    store.write([*mine, deviation(2, OTHER)])
    assert list(store.cries("infant-1")) == mine
    since, until = START_MS + 1000, START_MS + 3000
    assert list(store.cries("infant-1", since, until)) == mine[1:3]
    assert list(store.cries("nobody")) == []
    assert store.infants() == {
        "infant-1": (5, START_MS, START_MS + 4000),
        "infant-2": (1, START_MS + 2000, START_MS + 2000),
    }


def test_an_act_of_staff_stands_beside_the_cries(store):
    store.write([deviation(0)])
    act = record_act(
        store, ActKind.BASELINE_RESET, "nurse-4", "infant-1", "ünder a new lamp", at_ms=START_MS + 5
    )
    silence = record_act(
        store,
        ActKind.ALERTS_SILENCED,
        "nurse-4",
        ward="nicu",
        until_ms=START_MS + 10,
        at_ms=START_MS,
    )
    assert list(store.acts("infant-1")) == [act]
    assert list(store.acts()) == [silence, act]
    assert (act.who, act.what, act.remark) == ("nurse-4", "baseline_reset", "ünder a new lamp")
    store.write([act])
    assert len(list(store.acts())) == 2
    assert len(list(store.cries())) == 1


def test_what_is_older_than_it_may_be_is_removed_and_counted(store):
    store.write([deviation(second) for second in range(4)])
    record_act(store, ActKind.LEARNING_PAUSED, "nurse-4", "infant-1", at_ms=START_MS)
    assert store.prune(START_MS + 2000) == 3
    assert list(store.cries()) == [deviation(2), deviation(3)]
    assert list(store.acts()) == []
    assert store.prune(START_MS + 2000) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"infant": "a\0b"},
        {"reason": "\ud800"},
        {"started_at_ms": 2**63},
        {"started_at_ms": "soon"},
        {"started_at_ms": 1.5},
        {"sigma": "far"},
        {"sigma": float("nan")},
        {"drifting": 1},
        {"ward": {"a": 1}},
        {"ward": None},
    ],
)
def test_a_row_that_no_database_takes_is_refused_and_none_of_its_batch_is_written(store, wrong):
    store.write([deviation(0)])
    with pytest.raises(RefusedMessage, match=next(iter(wrong))):
        store.write([deviation(1), replace(deviation(2), **wrong)])
    assert list(store.cries()) == [deviation(0)]


def test_rows_of_several_writers_at_once_are_all_there(url):
    stores = [TimelineStore(url) for _ in range(4)]  # as four workers that start together

    def write(number: int) -> None:
        for second in range(25):
            stores[number].write([deviation(100 * number + second), deviation(second)])

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(list(stores[0].cries())) == 100
    for store in stores:
        store.close()


def test_a_timeline_made_before_a_field_existed_gets_its_column(store, url, monkeypatch):
    store.write([deviation(0), deviation(1)])
    with create_engine(store._url).begin() as older:
        older.execute(text("ALTER TABLE cries DROP COLUMN drift_sigma"))
    newer = TimelineStore(url)
    newer.write([deviation(1)])
    assert list(newer.cries()) == [deviation(0, drift_sigma=None), deviation(1)]
    newer.close()


def test_a_reader_who_may_make_nothing_can_read(postgres):
    address = postgres.schema()
    schema = address.rpartition("%3D")[2]
    store = TimelineStore(address)
    store.write([deviation(0)])
    with create_engine(store._url).begin() as owner:
        owner.execute(text(f"CREATE ROLE reader_{schema} LOGIN PASSWORD 'see'"))
        owner.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO reader_{schema}"))
        owner.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader_{schema}"))
    reader = TimelineStore(store._url.set(username=f"reader_{schema}", password="see"))
    assert list(reader.cries()) == [deviation(0)]
    with pytest.raises(TimelineError, match="permission denied"):
        reader.write([deviation(1)])
    reader.close()
    store.close()


def test_a_timeline_that_nobody_wrote_says_so_in_one_sentence(tmp_path):
    store = TimelineStore(f"sqlite:///{tmp_path / 'none.sqlite3'}")
    with pytest.raises(TimelineError, match=r"There is no timeline at .*none\.sqlite3 yet"):
        list(store.cries())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["sqlite:////dev/null/t.sqlite3", "postgresql://u:pw@127.0.0.1:1/d"]
)
def test_a_store_that_cannot_be_reached_says_so_without_its_password(url):
    with pytest.raises(TimelineError, match="does not answer") as refusal:
        TimelineStore(url).write([deviation(0)])
    assert "pw@" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_store_is_found_again_after_its_server_was_away(own_postgres):
    store = TimelineStore(own_postgres.url)
    store.write([deviation(0)])
    own_postgres.act("kill")
    with pytest.raises(TimelineError):
        store.write([deviation(1)])
    own_postgres.act("start")
    store.write([deviation(1)])
    assert list(store.cries()) == [deviation(0), deviation(1)]
    store.close()


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "mysql://u:pw@host/d"])
def test_a_url_of_no_store_is_refused_without_its_password(url):
    with pytest.raises(TimelineError) as refusal:
        TimelineStore(url)
    assert "sqlite:///FILE" in str(refusal.value)
    assert "pw" not in str(refusal.value)


def test_the_timeline_lies_with_the_workers_state_unless_it_is_set(tmp_path):
    settings = Settings(state_dir=tmp_path)
    assert timeline_url(settings) == f"sqlite:///{tmp_path / 'timeline.sqlite3'}"
    set_elsewhere = settings.model_copy(update={"timeline_url": "postgresql://host/d"})
    assert timeline_url(set_elsewhere) == "postgresql://host/d"


def test_every_field_of_a_row_has_its_column():
    assert [c.name for c in tables.CRIES.columns] == list(type(deviation()).__dataclass_fields__)
