"""The worker starts only on models that belong together, and where it can write."""

import os
import shutil
from pathlib import Path

import pytest

from models.deviation.ward import WardModel
from streams.app import Models, make_state_dir
from streams.errors import ModelError, SettingsError
from streams.settings import Settings

SHIPPED = Path(__file__).parents[2] / "models" / "weights"


@pytest.fixture
def weights(tmp_path):
    """A folder of its own that holds the shipped models."""
    for path in (*SHIPPED.glob("*.onnx"), *SHIPPED.glob("*.safetensors")):
        shutil.copy(path, tmp_path)
    return tmp_path


def with_embedder(ward, version):
    """The same ward, said to be fitted to another embedder's cries."""
    arrays = (ward.mean, ward.middle, ward.transform, ward.between, ward.scores)
    return WardModel(*arrays, embedder_version=version)


def test_models_of_a_folder_load_as_the_shipped_ones_do(weights):
    theirs, shipped = Models.load(Settings(weights_dir=weights)), Models.load(Settings())
    assert theirs.embedder.version == shipped.embedder.version
    assert theirs.ward.version == shipped.ward.version


@pytest.mark.parametrize(("version", "named"), [("identity-0", "identity-0"), (None, "unnamed")])
def test_a_ward_of_another_embedder_is_refused_in_one_sentence(weights, version, named):
    path = weights / "ward.safetensors"
    with_embedder(WardModel.load(path), version).save(path)
    with pytest.raises(ModelError, match=named) as refusal:
        Models.load(Settings(weights_dir=weights))
    assert "fit it again" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_model_is_named(weights):
    (weights / "cry-embedder.onnx").unlink()
    with pytest.raises(ModelError, match=r"cry-embedder\.onnx"):
        Models.load(Settings(weights_dir=weights))


def test_a_folder_that_cannot_be_used_is_named_with_its_setting(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"VAGITUS_STATE_DIR: .*file/state cannot be used: Not"):
        make_state_dir(tmp_path / "file" / "state")
    make_state_dir(tmp_path / "new" / "state")
    assert (tmp_path / "new" / "state").is_dir()
    # Whoever runs this as root may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SettingsError, match="nothing can be written there"):
        make_state_dir(tmp_path)
