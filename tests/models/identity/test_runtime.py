"""The embedder that ships answers any cry with a unit vector, and refuses what is none."""

import numpy as np
import pytest

from models.identity.runtime import (
    EMBEDDING_SIZE,
    MAX_PIECE_SECONDS,
    MIN_SECONDS,
    CryEmbedder,
    unit_length,
)
from models.waveform import resample

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def embedder():
    return CryEmbedder()


def cry(seconds, pitch_hz=450.0, rate_hz=RATE_HZ, seed=0):
    """A harmonic sound with a moving pitch: enough like a cry for shapes and sameness."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    pitch = pitch_hz * (1 + 0.1 * np.sin(2 * np.pi * 1.2 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate_hz
    harmonics = sum(np.sin(k * phase) / k for k in range(1, 8))
    return (0.1 * harmonics + 0.003 * rng.standard_normal(time.size)).astype(np.float32)


@pytest.mark.parametrize("seconds", [MIN_SECONDS, 0.73, 3.0, 60.0])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_a_cry_of_any_length_becomes_a_unit_vector(embedder, seconds, rate_hz):
    embedding = embedder.embed(cry(seconds, rate_hz=rate_hz), rate_hz)
    assert embedding.shape == (EMBEDDING_SIZE,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)


def test_the_same_cry_twice_is_the_same_to_the_last_bit(embedder):
    assert np.array_equal(embedder.embed(cry(2), RATE_HZ), embedder.embed(cry(2), RATE_HZ))


def test_loudness_is_not_identity(embedder):
    loud = cry(3)
    assert embedder.embed(loud, RATE_HZ) @ embedder.embed(0.1 * loud, RATE_HZ) > 0.99


def test_the_sample_rate_is_not_identity(embedder):
    wide = cry(3)
    narrow = resample(wide, RATE_HZ, RATE_HZ // 2)
    as_recorded = embedder.embed(narrow, RATE_HZ // 2) @ embedder.embed(wide, RATE_HZ)
    too_fast = embedder.embed(narrow, RATE_HZ) @ embedder.embed(wide, RATE_HZ)
    assert as_recorded > 0.8
    assert as_recorded > too_fast + 0.1


def test_two_parts_of_a_cry_are_closer_than_two_cries(embedder):
    low, high = cry(6, pitch_hz=350), cry(3, pitch_hz=650)
    first, second = low[: 3 * RATE_HZ], low[3 * RATE_HZ :]
    one = embedder.embed(first, RATE_HZ)
    assert one @ embedder.embed(second, RATE_HZ) > one @ embedder.embed(high, RATE_HZ)


def test_silence_is_embedded_without_a_fuss(embedder):
    assert np.isfinite(embedder.embed(np.zeros(RATE_HZ, np.float32), RATE_HZ)).all()


def test_a_very_long_sound_is_averaged_over_its_pieces(embedder):
    piece = cry(MAX_PIECE_SECONDS / 2 + 10)
    both = np.concatenate([piece, piece])
    assert embedder.embed(both, RATE_HZ) @ embedder.embed(piece, RATE_HZ) > 0.9999


def test_threads_change_nothing_that_matters(embedder):
    several = CryEmbedder(threads=2)
    assert several.embed(cry(2), RATE_HZ) @ embedder.embed(cry(2), RATE_HZ) > 0.9999


@pytest.mark.parametrize(
    ("waveform", "rate_hz", "why"),
    [
        (np.zeros(RATE_HZ // 2 - 1, np.float32), RATE_HZ, "too short"),
        (np.zeros(0, np.float32), RATE_HZ, "too short"),
        (np.zeros((2, RATE_HZ), np.float32), RATE_HZ, "mono"),
        (np.full(RATE_HZ, np.nan, np.float32), RATE_HZ, "not finite"),
        (np.append(np.zeros(RATE_HZ), np.inf).astype(np.float32), RATE_HZ, "not finite"),
        (np.zeros(RATE_HZ, np.float32), 0, "impossible"),
    ],
)
def test_what_cannot_be_embedded_is_refused_with_its_reason(embedder, waveform, rate_hz, why):
    with pytest.raises(ValueError, match=why):
        embedder.embed(waveform, rate_hz)


def test_the_version_comes_from_the_file(embedder):
    name, number = embedder.version.split("-")
    assert name == "identity"
    assert number.isdigit()


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.onnx"):
        CryEmbedder(tmp_path / "nowhere.onnx")


def test_unit_length_leaves_zero_alone():
    assert np.allclose(unit_length(np.array([[0.0, 0.0], [3.0, 4.0]])), [[0, 0], [0.6, 0.8]])
