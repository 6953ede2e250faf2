"""A broker with topics and no worker, for commands that ask for something there."""

import pytest

from models.deviation.ward import WardModel


@pytest.fixture(scope="module")
def ward() -> WardModel:
    return WardModel.load()


@pytest.fixture
def vagitus_there(vagitus, settings, monkeypatch, tmp_path):
    """Run a command line there."""

    def run_command(*arguments: object):
        for name in ("topic_prefix", "app_id", "partitions", "broker"):
            monkeypatch.setenv(f"VAGITUS_{name.upper()}", str(getattr(settings, name)))
        monkeypatch.setenv("VAGITUS_STATE_DIR", str(tmp_path))
        return vagitus(*arguments)

    return run_command
