"""Each store of the timeline: SQLite in a file, and a real PostgreSQL."""

import pytest

from streams.timeline.store import TimelineStore
from tests.system.postgres import own_postgres, postgres

__all__ = ["own_postgres", "postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path) -> str:
    """Where an empty timeline may be, in each kind of store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'folder' / 'timeline.sqlite3'}"
    return request.getfixturevalue("postgres").schema()


@pytest.fixture
def store(url):
    """An empty timeline."""
    opened = TimelineStore(url)
    yield opened
    opened.close()
