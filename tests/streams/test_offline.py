"""Recordings without a broker: scored and embedded by the stream's own functions."""

import numpy as np
import pytest
import soundfile

from streams.errors import SourceError
from streams.offline import embed_recording
from streams.sources.files import read_seconds
from tests.streams.ward import BEFORE_SECONDS, RATE_HZ, record_cry, record_room


def test_scores_are_the_detectors_own_second_by_second(scorer, models, cry):
    seconds, rate = read_seconds(cry)
    features = models.detector.features(seconds, rate)
    windows = [models.detector.window(features[: n + 1]) for n in range(len(features))]
    scores = scorer.scores(cry)
    assert scores == pytest.approx(models.detector.scores(np.stack(windows)), abs=1e-5)
    assert scores[0] < 0.5 < max(scores)


def test_no_recording_is_heard_in_the_context_of_another(scorer, cry, tmp_path):
    room = record_room(tmp_path / "room.wav")
    alone = scorer.scores(room)
    scorer.scores(cry)
    assert scorer.scores(room) == alone


def test_a_recording_longer_than_a_batch_is_scored_whole(scorer, tmp_path):
    scores = scorer.scores(record_room(tmp_path / "long.wav", 130.0))
    assert len(scores) == 130


@pytest.mark.parametrize(("seconds", "count"), [(0.6, 1), (1.4, 1), (1.5, 2)])
def test_a_short_recording_has_the_seconds_that_the_stream_would_cut(
    scorer, tmp_path, seconds, count
):
    assert len(scorer.scores(record_room(tmp_path / "short.wav", seconds))) == count


def unusable(tmp_path, kind: str):
    path = tmp_path / "unusable.wav"
    if kind == "too short":
        return record_room(path, 0.3)
    if kind != "missing":
        path.write_bytes({"empty": b"", "no sound": b"RIFF, but not really" * 100}[kind])
    return path


@pytest.mark.parametrize("kind", ["too short", "missing", "empty", "no sound"])
def test_a_recording_that_cannot_be_used_is_named_in_one_sentence(scorer, models, tmp_path, kind):
    path = unusable(tmp_path, kind)
    for use in (scorer.scores, lambda path: embed_recording(scorer, models, path)):
        with pytest.raises(SourceError, match=r"unusable\.wav") as error:
            use(path)
        assert "\n" not in str(error.value)


def test_the_cry_of_a_recording_is_one_segment_of_its_infant(scorer, cry):
    (segment,) = scorer.segments(cry, 50_000, "infant-1")
    assert segment.place.infant == "infant-1"
    assert segment.started_at_ms in (50_000 + 1000 * BEFORE_SECONDS, 51_000 + 1000 * BEFORE_SECONDS)
    assert 3 <= segment.seconds <= 5


def test_a_cry_that_the_end_of_a_recording_cuts_is_a_segment(scorer, cry, tmp_path):
    path = tmp_path / "cut.wav"
    soundfile.write(path, soundfile.read(cry)[0][: (BEFORE_SECONDS + 3) * RATE_HZ], RATE_HZ)
    (segment,) = scorer.segments(path, 0, "infant-1")
    assert segment.started_at_ms + 1000 * segment.seconds == 1000 * (BEFORE_SECONDS + 3)


def test_a_recording_is_embedded_by_its_cries_alike(scorer, models, tmp_path):
    parts = [soundfile.read(record_cry(tmp_path / "part.wav", cry=n))[0] for n in range(2)]
    path = tmp_path / "two.wav"
    soundfile.write(path, np.concatenate(parts), RATE_HZ, subtype="PCM_16")
    segments = scorer.segments(path, 0, "infant-1")
    assert len(segments) == 2
    mean = np.mean([models.embedder.embed(s.waveform(), RATE_HZ) for s in segments], axis=0)
    embedding = embed_recording(scorer, models, path)
    assert (embedding.dtype, embedding.shape) == (np.float32, (192,))
    np.testing.assert_allclose(embedding, mean / np.linalg.norm(mean), atol=1e-5)


def test_a_recording_without_a_cry_is_embedded_whole(scorer, models, tmp_path):
    room = record_room(tmp_path / "room.wav", 3.0)
    expected = models.embedder.embed(read_seconds(room)[0].ravel(), RATE_HZ)
    np.testing.assert_allclose(embed_recording(scorer, models, room), expected, atol=1e-5)
