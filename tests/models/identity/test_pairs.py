"""A batch holds what the loss believes it holds."""

import numpy as np
import pytest

from models.identity.pairs import CryFrames, PairSampler, augmented, crop
from models.identity.verification import Owner

MELS = 80


def cry(infant, group=None, platform="ios", frames=300, value=0.0):
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(frames, MELS)).astype(np.float32)
    return CryFrames(Owner(infant, group or infant, platform, 0), noise + value)


def test_views_have_the_asked_shape_and_only_finite_numbers():
    cries = [cry(f"i{i}") for i in range(6) for _ in range(2)]
    first, second = PairSampler(cries, 4, 120, np.random.default_rng(0)).draw()
    assert first.shape == second.shape == (4, 120, MELS)
    assert first.dtype == second.dtype == np.float32
    assert np.isfinite(first).all()
    assert np.isfinite(second).all()


def test_the_same_seed_draws_the_same_batch():
    cries = [cry(f"i{i}") for i in range(6) for _ in range(2)]
    one, _ = PairSampler(cries, 4, 120, np.random.default_rng(3)).draw()
    two, _ = PairSampler(cries, 4, 120, np.random.default_rng(3)).draw()
    assert np.array_equal(one, two)


def test_a_batch_never_mixes_platforms_nor_two_identities_of_an_install(monkeypatch):
    seen = []
    monkeypatch.setattr(
        PairSampler, "_pair", lambda self, r: seen.append(r[0].owner) or (np.zeros(1),) * 2
    )
    cries = [
        cry(f"{platform}{i}-{sex}", f"{platform}{i}", platform)
        for platform in ("ios", "android")
        for i in range(5)
        for sex in "fm"
    ]
    sampler = PairSampler(cries, 4, 120, np.random.default_rng(0))
    for _ in range(20):
        seen.clear()
        sampler.draw()
        assert len({r.platform for r in seen}) == 1
        assert len({r.group for r in seen}) == 4


def test_too_few_installs_for_a_batch_are_refused():
    with pytest.raises(ValueError, match="no platform has 4 installs"):
        PairSampler([cry("a"), cry("b")], 4, 120, np.random.default_rng(0))


def test_a_pair_comes_from_two_recordings_where_there_are_two():
    sampler = PairSampler([cry("a"), cry("b")], 2, 120, np.random.default_rng(0))
    views = []
    sampler._view = lambda frames: views.append(frames) or frames
    low, high = cry("a", value=-100), cry("a", value=100)
    sampler._pair([low, high])
    assert {float(np.sign(v.mean())) for v in views} == {-1.0, 1.0}


def test_a_short_cry_is_repeated():
    frames = np.arange(10, dtype=np.float32)[:, None].repeat(MELS, axis=1)
    long = crop(frames, 35, np.random.default_rng(0))
    assert long.shape == (35, MELS)
    assert set(long[:, 0]) == set(range(10))


def test_augmentation_leaves_its_input_alone_and_differs_each_time():
    frames = cry("a").frames
    kept = frames.copy()
    rng = np.random.default_rng(0)
    one, two = augmented(frames, rng), augmented(frames, rng)
    assert np.array_equal(frames, kept)
    assert not np.allclose(one, two)
