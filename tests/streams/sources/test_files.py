from pathlib import Path

import numpy as np
import pytest
import soundfile

from streams.errors import SourceError
from streams.records.sound import Codec
from streams.sources.files import FileSource, read_seconds

START_MS = 1_700_000_000_500


def tone(seconds: float, rate: int, level: float = 0.5) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2.0 * np.pi * 440.0 * t)).astype(np.float32)


def write(path: Path, seconds: float = 2.0, rate: int = 16_000, level: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".opus":
        soundfile.write(path, tone(seconds, rate, level), rate, format="OGG", subtype="OPUS")
    else:
        soundfile.write(path, tone(seconds, rate, level), rate)
    return path


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.opus", "a.ogg", "a.mp3"])
def test_recordings_of_any_kind_become_whole_seconds_of_16_khz(tmp_path: Path, name: str) -> None:
    seconds, rate = read_seconds(write(tmp_path / name, 3.0))
    assert rate == 16_000
    assert seconds.shape[1] == 16_000
    # Lossy codecs put some padding around the sound.
    assert seconds.shape[0] in (3, 4)
    assert 0.3 < np.sqrt(np.mean(seconds[1] ** 2)) < 0.4


def test_only_8_khz_recordings_keep_their_rate(tmp_path: Path) -> None:
    for native, played in ((8_000, 8_000), (11_025, 16_000), (44_100, 16_000)):
        seconds, rate = read_seconds(write(tmp_path / f"{native}.wav", rate=native))
        assert rate == played
        assert seconds.shape == (2, played)


def test_what_is_too_coarse_to_hold_a_cry_is_said_and_not_heard_as_quiet(tmp_path: Path) -> None:
    path = write(tmp_path / "coarse.wav", rate=4_000)
    with pytest.raises(SourceError, match="has 4000 samples a second: a cry is heard from 8000"):
        read_seconds(path)


def test_chunks_hold_the_sound_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "cry.wav", 2.6)
    chunks = list(FileSource([path], START_MS).chunks())
    heard = np.concatenate([chunk.waveform() for chunk in chunks])
    assert heard.size == 48_000
    np.testing.assert_allclose(heard[:41_600], tone(2.6, 16_000), atol=1e-3)
    assert not heard[41_600:].any()


def test_each_file_is_a_monitor_and_all_begin_at_once(tmp_path: Path) -> None:
    paths = [write(tmp_path / "first one.wav", 2.0), write(tmp_path / "second.wav", 3.0)]
    source = FileSource(paths, START_MS)
    assert source.monitors == {"first-one": [paths[0]], "second": [paths[1]]}
    assert [(c.captured_at_ms - START_MS, c.monitor) for c in source.chunks()] == [
        (0, "first-one"),
        (0, "second"),
        (1000, "first-one"),
        (1000, "second"),
        (2000, "second"),
    ]


def test_sequence_numbers_start_at_the_capture_second_and_count_up(tmp_path: Path) -> None:
    chunks = list(FileSource([write(tmp_path / "a.wav", 3.0)], START_MS).chunks())
    assert [c.sequence for c in chunks] == [1_700_000_000, 1_700_000_001, 1_700_000_002]


def test_with_a_monitor_files_follow_one_another(tmp_path: Path) -> None:
    paths = [write(tmp_path / "z.wav", 2.0), write(tmp_path / "a.wav", 1.0)]
    source = FileSource(paths, START_MS, monitor="mon-9", gap_seconds=10)
    chunks = list(source.chunks())
    assert {c.monitor for c in chunks} == {"mon-9"}
    assert [c.captured_at_ms - START_MS for c in chunks] == [0, 1000, 12_000]
    assert np.diff([c.sequence for c in chunks]).tolist() == [1, 1]


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("x", "y", "z"):
        write(tmp_path / folder / "cry.wav")
    assert list(FileSource([tmp_path], START_MS).monitors) == ["cry", "cry-2", "cry-3"]


def test_any_file_name_makes_a_valid_monitor_name(tmp_path: Path) -> None:
    for number, stem in enumerate(["  ", "…", "-x-", "301 - Crying baby", "ä" * 80, "long" * 50]):
        write(tmp_path / str(number) / f"{stem}.wav", 1.0)
    for chunk in FileSource([tmp_path], START_MS).chunks():
        assert chunk.decode(*chunk.encode()) == chunk


def test_a_folder_skips_what_is_not_sound_and_says_so(tmp_path: Path) -> None:
    write(tmp_path / "good.wav")
    (tmp_path / "broken.wav").write_bytes(b"not sound")
    (tmp_path / "notes.txt").write_text("no recording")
    write(tmp_path / "blip.wav", 0.3)
    source = FileSource([tmp_path], START_MS)
    assert {c.monitor for c in source.chunks()} == {"good"}
    assert len(source.skipped) == 2
    assert "blip.wav" in source.skipped[0] and "0.5 s" in source.skipped[0]
    assert "broken.wav" in source.skipped[1]
    list(source.chunks())
    assert len(source.skipped) == 2


def test_a_broken_file_named_by_itself_ends_the_play(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"not sound")
    source = FileSource([write(tmp_path / "good.wav"), broken], START_MS)
    with pytest.raises(SourceError, match=r"broken\.wav cannot be played"):
        list(source.chunks())
    assert not source.skipped


def test_paths_that_hold_nothing_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.wav"):
        FileSource([tmp_path / "gone.wav"], START_MS)
    with pytest.raises(SourceError, match="no recordings"):
        FileSource([tmp_path], START_MS)


def test_a_folder_of_only_broken_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"not sound")
    with pytest.raises(SourceError, match=r"nothing could be played: .*broken\.wav"):
        list(FileSource([tmp_path], START_MS).chunks())


def test_chunks_are_written_in_the_codec_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    for codec in Codec:
        first = next(FileSource([path], START_MS, codec=codec).chunks())
        assert first.codec is codec
        assert first.waveform().shape == (16_000,)
