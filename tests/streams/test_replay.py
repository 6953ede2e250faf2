"""Recordings in time order, as if their infants had lain on the ward."""

import dataclasses

import pytest

from streams.errors import SourceError
from streams.offline import ManifestRow, _summary, read_manifest, replay
from streams.settings import Settings
from tests.streams.ward import deviation, record_cry, record_room

MINUTE_MS = 60_000


def manifest(tmp_path, *rows: str, header: str = "path,infant,recorded_at"):
    path = tmp_path / "manifest.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_manifest_is_read_in_time_order_with_paths_beside_it(tmp_path):
    path = manifest(
        tmp_path,
        "late.wav,a,2024-01-02T00:00:00Z",
        "b.wav,a,2024-01-01T02:00:00+02:00",
        "a.wav,a,2024-01-01T00:00:00",
        "/elsewhere/c.wav,b,2024-01-01",
    )
    assert [(row.path, str(row.file)) for row in read_manifest(path)] == [
        ("/elsewhere/c.wav", "/elsewhere/c.wav"),
        ("a.wav", str(tmp_path / "a.wav")),
        ("b.wav", str(tmp_path / "b.wav")),
        ("late.wav", str(tmp_path / "late.wav")),
    ]
    assert {row.recorded_at_ms for row in read_manifest(path)} == {
        1_704_067_200_000,
        1_704_153_600_000,
    }


def test_rows_that_belong_to_no_timeline_are_passed_over(tmp_path):
    rows = ["a.wav,,2024-01-01", "b.wav,infant-1,", ",,", "c.wav", "d.wav,infant-1,2024-01-01"]
    assert [row.path for row in read_manifest(manifest(tmp_path, *rows))] == ["d.wav"]


def test_a_manifest_may_have_a_byte_order_mark_and_columns_of_its_own(tmp_path):
    header = "\ufeffpath,weight,recorded_at,infant"
    path = manifest(tmp_path, "a.wav,3200,2024-01-01,infant-1", header=header)
    assert [row.infant for row in read_manifest(path)] == ["infant-1"]


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (["a.wav,infant-1,yesterday"], "line 2: 'yesterday' is not"),
        (["a.wav,infant-1,2024-01-01", ",infant-1,2024-01-01"], "line 3: there is no path"),
    ],
)
def test_a_row_that_cannot_be_understood_is_named_by_its_line(tmp_path, rows, named):
    with pytest.raises(SourceError, match=named):
        read_manifest(manifest(tmp_path, *rows))


@pytest.mark.parametrize(
    ("content", "named"),
    [(b"path,infant\na.wav,b\n", "lacks the column 'recorded_at'"), (b"", "lacks the column"),
     (b"path,infant,recorded_at\n\xff\xfe,a,2024-01-01", "cannot be read")],
)  # fmt: skip
def test_a_manifest_that_cannot_be_used_is_said_to_be(tmp_path, content, named):
    path = tmp_path / "manifest.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=named):
        read_manifest(path)


def rows_of(paths, infant: str = "infant-1") -> list[ManifestRow]:
    return [
        ManifestRow(path.name, infant, f"minute {n}", path, MINUTE_MS * n)
        for n, path in enumerate(paths)
    ]


def test_a_replay_learns_an_infant_then_says_what_is_unusual_for_it(models, tmp_path):
    paths = [record_cry(tmp_path / f"{n}.wav", cry=n) for n in range(8)]
    # Far from the first one, for the embedder does not part all that are nearer.
    paths += [record_cry(tmp_path / "other.wav", infant=5), record_room(tmp_path / "room.wav")]
    replayed = list(replay(rows_of(paths), models, Settings()))
    assert [r.path for r in replayed] == [path.name for path in paths]
    assert [r.state for r in replayed] == ["learning"] * 5 + ["ready"] * 5
    assert {(r.gate, r.reason) for r in replayed[:6]} == {("accepted", "learning")}
    assert (replayed[0].sigma, replayed[0].p_value) == (None, None)
    own, other, room = replayed[7:]
    assert other.sigma > own.sigma
    assert (other.gate, room.gate) == ("refused", "refused")
    assert (room.reason, room.sigma, room.p_value) == ("no_cry", None, None)
    assert other.recorded_at == "minute 8"


def test_of_several_cries_the_middle_one_speaks_and_the_learned_one_decides(tmp_path):
    (row,) = rows_of([tmp_path / "cries.wav"])
    records = [
        deviation(n, sigma=sigma, p_value=p_value, gate=gate, reason=reason)
        for n, (sigma, p_value, gate, reason) in enumerate(
            [
                (4.0, 0.005, "held", "deviant"),
                (1.0, 0.3, "refused", "not_sure_cry"),
                (-1.0, 0.8, "accepted", "normal"),
                (None, None, "refused", "too_short"),
            ]
        )
    ]
    said = _summary(row, records, "ready")
    assert (said.sigma, said.p_value, said.gate, said.reason) == (1.0, 0.3, "accepted", "normal")
    said = _summary(row, records[:2], "ready")
    assert (said.sigma, said.gate, said.reason) == (1.0, "refused", "not_sure_cry")


def test_a_replay_goes_on_after_a_recording_that_it_cannot_use(models, cry, tmp_path):
    rows = [*rows_of([cry, tmp_path / "missing.wav"]), *rows_of([cry], "not a pseudonym")]
    good, missing, refused = replay(rows, models, Settings())
    assert good.gate == "accepted"
    assert str(missing).count("missing.wav") == 1
    assert isinstance(refused, SourceError)
    assert "cry.wav: infant 'not a pseudonym'" in str(refused)


def test_each_infant_has_its_own_timeline_and_a_repeated_path_a_line_each(models, cry):
    rows = [*rows_of([cry] * 6), *rows_of([cry], "infant-2")]
    replayed = list(replay(rows, models, Settings()))
    assert [r.state for r in replayed] == ["learning"] * 5 + ["ready", "learning"]


def test_a_replayed_recording_says_what_was_promised_and_no_more(models, cry):
    (replayed,) = replay(rows_of([cry]), models, Settings())
    assert list(dataclasses.asdict(replayed)) == [
        "path", "infant", "recorded_at", "state", "sigma", "p_value", "gate", "reason",
    ]  # fmt: skip
