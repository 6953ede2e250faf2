from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save
from simulated import observation

from models.deviation.baseline import Baseline
from models.deviation.gate import Reason
from models.deviation.state import FORMAT, UPGRADES, StateError, pack, unpack
from models.deviation.ward import WardModel

STORED = Path(__file__).parent / "stored"


def stored(form):
    return (STORED / f"baseline-format-{form}.safetensors").read_bytes()


def test_arrays_and_texts_come_back_as_they_were():
    arrays = {"a": np.array([1.0, 0.1]), "b": np.zeros((0, 3)), "c": np.arange(4)}
    back, labels = unpack(pack(arrays, {"infant": "Ärzte-7"}))
    assert labels == {"infant": "Ärzte-7"}
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        assert np.array_equal(back[name], array)


def test_a_format_of_the_future_is_named_and_refused():
    blob = save({"format": np.array([FORMAT + 1])})
    with pytest.raises(
        StateError, match=f"format {FORMAT + 1}; this version reads format {FORMAT}"
    ):
        unpack(blob)


@pytest.mark.parametrize(
    "blob",
    [b"", b"\x80\x04N.", b"x" * 200, save({"a": np.zeros(2)}), save({"format": np.zeros(1)})],
)
def test_bytes_that_are_no_baseline_are_refused(blob):
    with pytest.raises(StateError, match="not a stored baseline"):
        unpack(blob)


def test_a_damaged_number_is_refused():
    with pytest.raises(StateError, match="not finite"):
        unpack(pack({"a": np.array([np.nan])}, {}))


def test_no_cut_of_the_bytes_is_taken_for_a_baseline():
    blob = pack({"a": np.arange(5.0)}, {"infant": "x"})
    for length in range(len(blob)):
        with pytest.raises(StateError):
            unpack(blob[:length])


@pytest.fixture
def small_ward():
    """The ward of the stored baselines: its version is a fingerprint of its numbers."""
    between, scores = np.array([4.0, 2.0, 1.0, 0.5]), np.linspace(0.5, 1.5, 40)
    return WardModel(np.zeros(4), np.zeros(4), 2 * np.eye(4), between, scores)


def cries_then():
    """The thirty cries that went into each, and one more."""
    rng = np.random.default_rng(5)
    centre = np.array([1, 0.5, 0, 0])
    return [(centre + 0.3 * rng.normal(size=4)).astype(np.float32) for _ in range(31)]


@pytest.mark.parametrize("form", range(1, FORMAT))
def test_a_baseline_of_an_older_format_goes_on(small_ward, form):
    now = Baseline("anna", small_ward)
    *before, after = cries_then()
    for number, cry in enumerate(before):
        now.observe(observation(cry, number))
    loaded = Baseline.from_bytes(stored(form), small_ward)
    kept = unpack(loaded.to_bytes())[0]
    # What the infant is like stays; how far its cries seemed from that was of another measure
    # before format 3.
    for name in ("detector.mean", "detector.running", "counts"):
        assert np.allclose(kept[name], unpack(now.to_bytes())[0][name]), name
    scores = kept["calibration.scores"].size
    assert scores == (0 if form < 3 else 28)
    said = loaded.observe(observation(after, 30))
    assert (said.reason, said.baseline_segments) == (Reason.NORMAL, 31)
    assert unpack(loaded.to_bytes())[1] == unpack(now.to_bytes())[1]
    assert unpack(loaded.to_bytes())[0]["calibration.scores"].size == scores + 1


def test_the_upgrade_adds_what_format_1_did_not_say():
    arrays, labels = unpack(stored(1))
    assert labels["detector"] == "GaussianDetector"
    assert arrays["drift.wildness"] == 1
    assert b"label.detector" not in stored(1)


def test_every_older_format_has_its_upgrade():
    assert set(UPGRADES) == set(range(1, FORMAT))


def test_a_baseline_of_another_detector_is_refused(small_ward):
    arrays, labels = unpack(stored(1))
    with pytest.raises(StateError, match="Autoencoder"):
        Baseline.from_bytes(pack(arrays, labels | {"detector": "Autoencoder"}), small_ward)
