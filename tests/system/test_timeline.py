"""Worker, broker and PostgreSQL: each cry is one row, whoever is killed in between."""

import asyncio
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from urllib.request import urlopen

import numpy as np
import psycopg
import pytest

from streams.kafka.topics import CRY_EMBEDDINGS, DEVIATIONS
from streams.play import Publisher
from streams.records.cry_embedding import CryEmbedding
from streams.records.place import Place
from streams.timeline.store import TimelineStore
from tests.system.pipeline import Pipeline

pytestmark = pytest.mark.system

WAIT_SECONDS = 240
INFANTS = 3


@pytest.fixture
def pipeline(embedded_broker, own_postgres, tmp_path) -> Pipeline:
    pipeline = Pipeline(embedded_broker, tmp_path)
    pipeline.environment["VAGITUS_TIMELINE_URL"] = own_postgres.url
    return pipeline


def cry(pipeline: Pipeline, numbers: Iterable[int]) -> set[str]:
    """Let infants cry by turns; returns the ids of the segments."""
    rng = np.random.default_rng(1)
    now_ms = int(time.time() * 1000)
    cries = []
    for number in numbers:
        infant = f"infant-{number % INFANTS}"
        vector = rng.normal(size=192).astype(np.float32)
        vector /= np.linalg.norm(vector)
        place = Place(monitor=f"mon-{infant}", infant=infant, ward="nicu", bed="1")
        cries.append(
            CryEmbedding(
                f"cry-{number}", place, now_ms + number, 2.0, 0.9, -20, None, 0, "v", vector
            )
        )

    async def send() -> None:
        async with Publisher(pipeline.settings) as publisher:
            for embedding in cries:
                await publisher.send(CRY_EMBEDDINGS, *embedding.encode())

    asyncio.run(send())
    return {embedding.segment_id for embedding in cries}


def wait_for(condition, pipeline: Pipeline, worker: subprocess.Popen) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert worker.poll() is None, f"the worker ended:\n{pipeline.logs()}"
        assert time.monotonic() < deadline, pipeline.logs()
        time.sleep(0.2)


def rows(url: str) -> Counter[str]:
    """How many rows each segment has."""
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regclass('cries')").fetchone() == (None,):
            return Counter()
        return Counter(name for (name,) in connection.execute("SELECT segment_id FROM cries"))


def failures(address: str) -> float:
    with urlopen(address, timeout=10) as page:
        series = "vagitus_timeline_failures_total "
        lines = page.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(series))


def test_each_segment_is_one_row_though_worker_and_database_are_killed(
    pipeline, own_postgres, tmp_path
):
    url = own_postgres.url
    sent = cry(pipeline, range(40))
    with pipeline.worker() as first:
        wait_for(lambda: rows(url), pipeline, first)
        sent |= cry(pipeline, range(40, 160))
        first.kill()  # SIGKILL, with rows on their way
        first.wait()
    address = tmp_path / "metrics"
    pipeline.environment["VAGITUS_METRICS_PORT"] = "0"
    second = pipeline.start("worker", "--metrics-address-file", str(address))
    try:
        wait_for(lambda: len(rows(url)) == len(sent), pipeline, second)
        own_postgres.act("kill")
        sent |= cry(pipeline, range(160, 200))
        # Deviations go on while the database is away.
        wait_for(lambda: pipeline.count(DEVIATIONS) == len(sent), pipeline, second)
        wait_for(lambda: failures(address.read_text()) > 0, pipeline, second)
        own_postgres.act("start")
        wait_for(lambda: len(rows(url)) == len(sent), pipeline, second)
    finally:
        second.terminate()
        second.wait()
    assert rows(url) == Counter(sent)
    store = TimelineStore(url)
    assert list(store.cries()) == sorted(
        pipeline.published().deviations, key=lambda d: (d.started_at_ms, d.id)
    )
    store.close()
