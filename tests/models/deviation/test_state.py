import numpy as np
import pytest
from safetensors.numpy import save

from models.deviation.state import FORMAT, StateError, pack, unpack


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
