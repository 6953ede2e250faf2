"""The shipped detector keeps its contract, whatever a second's batch."""

import shutil

import numpy as np
import pytest

from models.detector.runtime import WEIGHTS, CryDetector
from models.synthesis.cry import synthesize_cry
from models.synthesis.infant import random_infant


@pytest.fixture(scope="module")
def detector() -> CryDetector:
    return CryDetector()


def seconds(batch: int, rate: int = 8000) -> np.ndarray:
    rng = np.random.default_rng(1)
    levels = 10.0 ** rng.uniform(-4, -0.5, size=(batch, 1))
    return (levels * rng.normal(size=(batch, rate))).clip(-1, 1).astype(np.float32)


def test_it_says_what_it_is(detector):
    assert detector.version == "detector-4"
    assert (detector.context_seconds, detector.feature_size) == (3, 256)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_features_have_a_row_for_each_second(detector, rate):
    features = detector.features(seconds(3, rate), rate)
    assert features.shape == (3, 256)
    assert features.dtype == np.float32


def test_no_seconds_have_no_features_and_no_scores(detector):
    assert detector.features(seconds(0), 8000).shape == (0, 256)
    assert detector.scores(np.zeros((0, 3, 256), np.float32)).shape == (0,)


def test_features_do_not_depend_on_the_batch(detector):
    sounds = seconds(150)
    together = detector.features(sounds, 8000)
    alone = np.concatenate([detector.features(sound[None], 8000) for sound in sounds])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_scores_are_probabilities_and_do_not_depend_on_the_batch(detector):
    windows = np.abs(np.random.default_rng(0).normal(size=(40, 3, 256))).astype(np.float32)
    together = detector.scores(windows)
    assert together.shape == (40,)
    assert ((together >= 0) & (together <= 1)).all()
    alone = np.concatenate([detector.scores(window[None]) for window in windows])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_window_is_the_last_seconds(detector):
    history = [np.full(256, value, np.float32) for value in range(9)]
    window = detector.window(history)
    assert window.dtype == np.float32
    assert window[:, 0].tolist() == [6, 7, 8]


def test_a_short_run_is_padded_with_its_first_second(detector):
    history = [np.full(256, value, np.float32) for value in (7, 8)]
    assert detector.window(history)[:, 0].tolist() == [7, 7, 8]


def score_of(detector: CryDetector, waveform: np.ndarray) -> float:
    features = detector.features(waveform.reshape(-1, 16000), 16000)
    return float(detector.scores(detector.window(list(features))[None])[0])


def test_silence_hum_and_noise_are_not_cries(detector):
    time = np.arange(3 * 16000) / 16000
    rng = np.random.default_rng(0)
    for waveform in (
        np.zeros(time.size),
        0.1 * np.sin(2 * np.pi * 100 * time),
        0.02 * rng.normal(size=time.size),
    ):
        assert score_of(detector, waveform.astype(np.float32)) < 0.5


def test_synthetic_cries_score_above_noise(detector):
    rng = np.random.default_rng(0)
    cries = [
        score_of(detector, synthesize_cry(random_infant(rng), 3.0, rng, sample_rate_hz=16000))
        for _ in range(8)
    ]
    noises = [
        score_of(detector, (0.05 * rng.normal(size=3 * 16000)).astype(np.float32)) for _ in range(8)
    ]
    assert np.median(cries) > max(noises)


def test_steady_noise_is_no_cry_however_loud(detector):
    rng = np.random.default_rng(0)
    for level in (0.001, 0.01, 0.1):
        noise = (level * rng.normal(size=(120, 8000))).clip(-1, 1).astype(np.float32)
        scores = detector.scores(detector.features(noise, 8000).reshape(40, 3, 256))
        assert (scores >= 0.5).sum() == 0, level


def test_low_steady_tones_are_not_cries(detector):
    time = np.arange(3 * 16000) / 16000
    for pitch in (260, 330, 440, 580, 780):
        for falling in (1.0, 2.0):
            wave = sum(np.sin(2 * np.pi * k * pitch * time) / k**falling for k in range(1, 6))
            assert score_of(detector, (0.1 * wave).astype(np.float32)) < 0.5, pitch


def test_the_quiet_after_a_cry_is_quiet(detector):
    rng = np.random.default_rng(3)
    scores = []
    for _ in range(10):
        cry = synthesize_cry(random_infant(rng), 3.0, rng, sample_rate_hz=16000)
        room = 0.003 * rng.normal(size=5 * 16000)
        room[: cry.size] += cry
        scores.append([score_of(detector, room[: n * 16000].astype(np.float32)) for n in (4, 5)])
    assert (np.array(scores) >= 0.5).mean() <= 0.05


def test_a_missing_file_is_named(tmp_path):
    shutil.copy(WEIGHTS / "cry-features.onnx", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"cry-scores\.onnx is missing"):
        CryDetector(tmp_path)
