import numpy as np
import pytest
from click.testing import CliRunner

from models.deviation.fit import command, read_rows
from models.deviation.population import WardError
from models.deviation.ward import WardModel


@pytest.fixture
def rows(tmp_path, nursery):
    """An embeddings file: each infant a recording a day, every tenth infant in `test`."""
    embeddings, infants = nursery.recordings(60, np.random.default_rng(71))
    seen: dict[str, int] = {}
    recorded = []
    for infant in infants:
        seen[infant] = seen.get(infant, 0) + 1
        recorded.append(f"2015-03-{seen[infant]:02d}T10:00:00Z")
    splits = ["test" if infant.endswith("0") else "train" for infant in infants]
    path = tmp_path / "embeddings.npz"

    def write(**changes):
        arrays = {
            "embeddings": embeddings,
            "infants": np.array(infants),
            "recorded_at": np.array(recorded),
            "splits": np.array(splits),
            "embedder": np.array("identity-7"),
        }
        np.savez(path, **{k: v for k, v in (arrays | changes).items() if v is not None})
        return path

    return write


def test_the_command_writes_a_ward_that_loads(rows, tmp_path):
    out = tmp_path / "ward.safetensors"
    result = CliRunner().invoke(command, [str(rows()), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert WardModel.load(out).version in result.output
    assert WardModel.load(out).embedder_version == "identity-7"


def test_embeddings_of_nobody_knows_which_embedder_are_refused(rows, tmp_path):
    out = tmp_path / "ward.safetensors"
    result = CliRunner().invoke(command, [str(rows(embedder=None)), "--out", str(out)])
    assert result.exit_code == 1
    assert "embedder" in result.output
    assert "Traceback" not in result.output
    assert not out.exists()


def test_the_test_split_stays_unread(rows):
    path = rows()
    _, infants, _ = read_rows(path, ("train", "val"))
    assert infants
    assert not any(infant.endswith("0") for infant in infants)


def test_recordings_half_an_hour_apart_are_two_sittings(rows, nursery):
    rng = np.random.default_rng(72)
    cries = nursery.cries(nursery.infant(rng), 4, rng)
    path = rows(
        embeddings=cries,
        infants=np.array(["a", "a", "a", "b"]),
        recorded_at=np.array(
            [
                "2015-03-01 10:29:00",
                "2015-03-01T10:00:00Z",
                "2015-03-01T10:59:00+00:00",
                "2015-03-01T10:01:00Z",
            ]
        ),
        splits=np.array(["train"] * 4),
    )
    embeddings, infants, sittings = read_rows(path, ("train",))
    assert np.array_equal(embeddings, cries[[1, 3, 0, 2]])
    assert infants == ["a", "b", "a", "a"]
    assert sittings == [0, 0, 0, 1]
    with pytest.raises(WardError, match="no rows"):
        read_rows(path, ("val",))


def test_a_file_without_names_is_refused_in_one_sentence(rows, tmp_path):
    out = tmp_path / "ward.safetensors"
    result = CliRunner().invoke(command, [str(rows(infants=None)), "--out", str(out)])
    assert result.exit_code == 1
    assert "infants" in result.output
    assert "Traceback" not in result.output
    assert not out.exists()


def test_a_check_prints_figures_and_writes_nothing(rows, tmp_path):
    out = tmp_path / "ward.safetensors"
    result = CliRunner().invoke(command, [str(rows()), "--check", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "infants unseen by the ward" in result.output
    assert not out.exists()


def test_the_scale_comes_from_the_infants_outside_the_train_split(rows, tmp_path, nursery):
    """Splits named all alike leave no infant that the embedder does not know."""
    splits = np.array(["train"] * 60 + ["val"] * 300)
    count = len(read_rows(rows(), ("train", "test"))[1])
    versions = []
    for given in (splits[:count], np.array(["train"] * count)):
        out = tmp_path / "ward.safetensors"
        result = CliRunner().invoke(command, [str(rows(splits=given)), "--out", str(out)])
        assert result.exit_code == 0, result.output
        versions.append(WardModel.load(out).version)
    assert versions[0] != versions[1]
    _, infants, sittings = read_rows(rows(), ("train", "test"))
    embeddings = read_rows(rows(), ("train", "test"))[0]
    assert versions[1] == WardModel.fit(embeddings, infants, sittings).version
