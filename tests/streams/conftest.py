"""Fixtures that several tests of `streams/` use."""

import os
import sys

import pytest

from streams import cli
from streams.app import Models
from streams.offline import OfflineScorer
from streams.settings import Settings
from tests.deploy.servers import alertmanager
from tests.streams.ward import record_cry

__all__ = ["alertmanager"]


@pytest.fixture(scope="session")
def models() -> Models:
    """The shipped models."""
    return Models.load(Settings())


@pytest.fixture(scope="session")
def scorer(models) -> OfflineScorer:
    """The stream's own functions over the shipped detector."""
    return OfflineScorer(models.detector, Settings())


@pytest.fixture
def cry(tmp_path):
    """A recording of nine seconds with one cry."""
    return record_cry(tmp_path / "cry.wav")


@pytest.fixture
def vagitus(monkeypatch, capsys):
    """Run a command line as the installed command does: exit status, output, errors."""
    for name in [name for name in os.environ if name.startswith("VAGITUS_")]:
        monkeypatch.delenv(name)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["vagitus", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        page = capsys.readouterr()
        return end.value.code, page.out, page.err

    return run
