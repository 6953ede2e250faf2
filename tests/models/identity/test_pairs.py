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


@pytest.mark.parametrize("views", [2, 3])
def test_views_have_the_asked_shape_and_only_finite_numbers(views):
    cries = [cry(f"i{i}") for i in range(6) for _ in range(2)]
    batch = PairSampler(cries, 4, 120, np.random.default_rng(0), views).draw()
    assert batch.shape == (4, views, 120, MELS)
    assert batch.dtype == np.float32
    assert np.isfinite(batch).all()


def test_the_same_seed_draws_the_same_batch():
    cries = [cry(f"i{i}") for i in range(6) for _ in range(2)]
    one = PairSampler(cries, 4, 120, np.random.default_rng(3)).draw()
    two = PairSampler(cries, 4, 120, np.random.default_rng(3)).draw()
    assert np.array_equal(one, two)


def test_a_batch_never_mixes_platforms_nor_two_identities_of_an_install(monkeypatch):
    seen = []
    monkeypatch.setattr(
        PairSampler, "_views_of", lambda self, r: seen.append(r[0].owner) or np.zeros(1)
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


def test_one_view_alone_is_refused():
    with pytest.raises(ValueError, match="two views or more"):
        PairSampler([cry("a"), cry("b")], 2, 120, np.random.default_rng(0), views=1)


@pytest.mark.parametrize(("views", "signs"), [(2, {-1, 1}), (3, {-1, 0, 1})])
def test_views_come_from_as_many_recordings_as_there_are(views, signs):
    sampler = PairSampler([cry("a"), cry("b")], 2, 120, np.random.default_rng(0), views)
    sampler._view = lambda frames: np.sign(np.round(frames.mean()))
    recordings = [cry("a", value=value) for value in (-100, 0, 100)]
    assert set(sampler._views_of(recordings if views == 3 else recordings[::2])) == signs


def test_views_of_one_recording_share_no_frame_of_it():
    sampler = PairSampler([cry("a"), cry("b")], 2, 120, np.random.default_rng(0), views=4)
    sampler._view = lambda frames: np.array([frames.min(), frames.max()])
    frames = np.arange(300, dtype=np.float32)[:, None].repeat(MELS, axis=1)
    spans = sampler._views_of([CryFrames(Owner("a", "a", "ios", 0), frames)])
    assert spans.tolist() == [[0, 74], [75, 149], [150, 224], [225, 299]]


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
