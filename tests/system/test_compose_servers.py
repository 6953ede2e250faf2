"""What deploy/compose gives Kafka and the database to read, on real ones."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.engine import make_url

from streams.timeline.store import TimelineStore
from tests.streams.ward import deviation
from tests.system.brokers import KAFKA, unavailable
from tests.system.pipeline import VAGITUS
from tests.system.ports import free_ports

pytestmark = pytest.mark.system
FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "compose"
START_SECONDS = 300


def test_kafka_starts_with_its_file_and_makes_our_topics_and_no_others(tmp_path):
    ports = dict(zip(("9092", "9093", "9094"), map(str, free_ports(3)), strict=True))
    page = (FOLDER / "kafka.properties").read_text()
    page = page.replace("/var/lib/kafka/data", str(tmp_path / "logs"))
    page = page.replace("://kafka:", "://127.0.0.1:")
    page = re.sub(r":(909[234])\b", lambda found: f":{ports[found[1]]}", page)
    (tmp_path / "server.properties").write_text(page)
    (tmp_path / "address").write_text(f"127.0.0.1:{ports['9094']}")
    jars = subprocess.run([sys.executable, str(KAFKA), "install"], capture_output=True, text=True)
    if jars.returncode:
        unavailable((jars.stderr.strip() or "no Kafka").splitlines()[-1])
    identity = re.search(r"KAFKA_CLUSTER_ID:-([\w-]+)", (FOLDER / "compose.yaml").read_text())[1]
    tool = ["java", "-cp", f"{jars.stdout.strip()}/*", "kafka.tools.StorageTool", "format"]
    options = ["--ignore-formatted", "--cluster-id", identity]
    for _ in range(2):  # as at every start
        line = [*tool, *options, "--config", str(tmp_path / "server.properties")]
        done = subprocess.run(line, capture_output=True, text=True, timeout=START_SECONDS)
        assert done.returncode == 0, done.stderr
    script = [sys.executable, str(KAFKA)]
    started = subprocess.run(
        [*script, "start", "--data", str(tmp_path)],
        capture_output=True, text=True, timeout=START_SECONDS,
    )  # fmt: skip
    assert started.returncode == 0, started.stderr
    try:
        environment = {**os.environ, "VAGITUS_BROKER": f"127.0.0.1:{ports['9094']}"}
        for said in ("created vagitus.audio-chunks", "All topics exist."):
            done = subprocess.run(
                [*VAGITUS, "topics", "create"],
                capture_output=True, text=True, env=environment, timeout=START_SECONDS,
            )  # fmt: skip
            assert said in done.stdout, done.stderr
    finally:
        subprocess.run([*script, "stop", "--data", str(tmp_path)], timeout=60, check=False)


def test_grafana_may_read_the_timeline_and_nothing_else(own_postgres):
    if not shutil.which("psql"):
        unavailable("psql is missing. Debian: apt-get install postgresql-client.")
    url = make_url(own_postgres.url)
    environment = {
        **os.environ, "POSTGRES_USER": url.username, "POSTGRES_DB": url.database,
        "PGHOST": url.host, "PGPORT": str(url.port), "GRAFANA_TIMELINE_PASSWORD": "it's a secret",
    }  # fmt: skip
    done = subprocess.run(
        ["bash", str(FOLDER / "reader.sh")], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    record = deviation()
    TimelineStore(own_postgres.url).write([record])
    reader = url.set(username="grafana").render_as_string()
    with psycopg.connect(reader, autocommit=True) as connection:
        assert connection.execute("SELECT infant FROM cries").fetchall() == [(record.infant,)]
        assert connection.execute("SELECT * FROM acts").fetchall() == []
        with pytest.raises(InsufficientPrivilege):
            connection.execute("DELETE FROM cries")
