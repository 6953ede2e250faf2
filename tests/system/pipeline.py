"""A worker process and what it published, for the system tests."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.kafka.connection import connection
from streams.kafka.topics import (
    CRY_EMBEDDINGS,
    CRY_SCORES,
    CRY_SEGMENTS,
    DEAD_LETTERS,
    DEVIATIONS,
    Topic,
    changelog,
    topic_configs,
)
from streams.play import Publisher
from streams.records.admission import Admission
from streams.records.cry_scores import CryScore, CryScores
from streams.records.cry_segment import CrySegment
from streams.records.deviation import DeviationRecord
from streams.settings import Settings
from tests.system.brokers import Broker

VAGITUS = [sys.executable, "-c", "from streams.cli import main; main()"]
START_SECONDS = 90
STOP_SECONDS = 30
# Recordings are played all at once, as fast as they go: a monitor may have to wait for its turn.
SILENT_AFTER_SECONDS = 20
SESSION_SECONDS = 6  # the shortest that Kafka takes by default
# The embedded broker keeps 5.2 MB of a partition, read or not: enough of them hold a test's sound.
PARTITIONS = 32


@dataclass
class Published:
    """Everything on the topics behind the scorer, as it lies there."""

    scores: list[CryScore] = field(default_factory=list)
    segments: list[CrySegment] = field(default_factory=list)
    embedding_ids: list[str] = field(default_factory=list)
    deviations: list[DeviationRecord] = field(default_factory=list)
    dead_letters: list[ConsumerRecord] = field(default_factory=list)

    def counts(self) -> str:
        """The counts, raw and distinct, in one line."""
        distinct_scores = {(s.monitor, s.captured_at_ms) for s in self.scores}
        distinct_segments = {s.id for s in self.segments}
        distinct_deviations = {d.segment_id for d in self.deviations}
        return (
            f"scores {len(self.scores)} ({len(distinct_scores)} distinct), "
            f"segments {len(self.segments)} ({len(distinct_segments)}), "
            f"embeddings {len(self.embedding_ids)} ({len(set(self.embedding_ids))}), "
            f"deviations {len(self.deviations)} ({len(distinct_deviations)}), "
            f"dead letters {len(self.dead_letters)}"
        )


class Pipeline:
    """Topics of its own on a broker, and workers on them."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker = broker
        self.name = f"t{uuid.uuid4().hex[:8]}"
        self.folder = folder
        self.environment = {
            "VAGITUS_BROKER": broker.address,
            "VAGITUS_TOPIC_PREFIX": f"{self.name}.",
            "VAGITUS_APP_ID": self.name,
            "VAGITUS_PARTITIONS": str(PARTITIONS),
            "VAGITUS_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
            "VAGITUS_SILENT_AFTER_SECONDS": str(SILENT_AFTER_SECONDS),
            "VAGITUS_STATE_DIR": str(folder / "state"),
        }
        self.settings = Settings(
            broker=broker.address,
            topic_prefix=f"{self.name}.",
            app_id=self.name,
            partitions=PARTITIONS,
            session_timeout_seconds=SESSION_SECONDS,
        )
        self._create_topics(topic_configs(self.settings))

    def _create_topics(self, configs: dict[str, dict[str, str]]) -> None:
        self.broker.create_topics(dict.fromkeys(configs, PARTITIONS), configs)

    def identify(self, client: Mapping[str, str]) -> None:
        """Go to the broker as somebody else from now on: settings of a client, by field."""
        others = {n: v for n, v in self.environment.items() if not n.startswith("VAGITUS_KAFKA_")}
        self.environment = {**others, **{f"VAGITUS_{n.upper()}": v for n, v in client.items()}}
        kept = {n: v for n, v in self.settings if not n.startswith("kafka_")}
        self.settings = Settings(**{**kept, **client})

    def forget_worker(self) -> None:
        """Take all that a worker commits and remembers from the next one; topics stay."""
        known = set(topic_configs(self.settings))
        self.environment["VAGITUS_APP_ID"] = f"{self.name}-2"
        self.settings = self.settings.model_copy(update={"app_id": f"{self.name}-2"})
        configs = topic_configs(self.settings)
        self._create_topics({name: configs[name] for name in configs if name not in known})

    def run(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run a `vagitus` command to its end."""
        return subprocess.run(
            [*VAGITUS, *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start a `vagitus` command."""
        log = (self.folder / f"{arguments[0]}-{uuid.uuid4().hex[:4]}.log").open("wb")
        with log:
            return subprocess.Popen(
                [*VAGITUS, *arguments],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @contextmanager
    def worker(self, *options: str) -> Iterator[subprocess.Popen]:
        """A worker, ended with SIGTERM at the end if it still runs."""
        process = self.start("worker", "--metrics-port", "0", "--log-level", "WARNING", *options)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def logs(self) -> str:
        """The ends of all logs, for a failing test."""
        tails = []
        for path in sorted(self.folder.glob("*.log")):
            tails.append(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}")
        return "\n".join(tails)

    def admit(self, admissions: list[Admission]) -> None:
        """Admit infants."""

        async def publish() -> None:
            async with Publisher(self.settings) as publisher:
                for admission in admissions:
                    await publisher.admit(admission)

        asyncio.run(publish())

    def published(self) -> Published:
        """Read the topics from their beginning to their present end."""
        return asyncio.run(self._published())

    async def _published(self) -> Published:
        found = Published()
        for record in await self._read(CRY_SCORES.name(self.settings)):
            found.scores += CryScores.from_json(record.value).scores
        for record in await self._read(CRY_SEGMENTS.name(self.settings)):
            found.segments.append(CrySegment.decode(record.key, record.value, record.headers))
        for record in await self._read(CRY_EMBEDDINGS.name(self.settings)):
            found.embedding_ids.append(dict(record.headers)["ce_id"].decode())
        for record in await self._read(DEVIATIONS.name(self.settings)):
            found.deviations.append(DeviationRecord.from_json(record.value))
        found.dead_letters = await self._read(DEAD_LETTERS.name(self.settings))
        return found

    async def _read(self, topic: str) -> list[ConsumerRecord]:
        consumer = AIOKafkaConsumer(**connection(self.settings), enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = [TopicPartition(topic, p) for p in range(self.settings.partitions)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            begins = await consumer.beginning_offsets(partitions)
            for tp in partitions:
                consumer.seek(tp, begins[tp])
            records: list[ConsumerRecord] = []
            missing = sum(ends[tp] - begins[tp] for tp in partitions)
            deadline = time.monotonic() + 60
            while len(records) < missing and time.monotonic() < deadline:
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    records += batch
            return records
        finally:
            await consumer.stop()

    def count(self, topic: Topic) -> int:
        """How many records a topic has ever had, also where the broker has dropped some."""
        return self._count(topic.name(self.settings))

    def rows(self, table: str) -> int:
        """How many rows a table was ever given."""
        return self._count(changelog(self.settings, table))

    def _count(self, name: str) -> int:
        async def ends() -> int:
            consumer = AIOKafkaConsumer(**connection(self.settings))
            await consumer.start()
            try:
                partitions = [TopicPartition(name, p) for p in range(self.settings.partitions)]
                return sum((await consumer.end_offsets(partitions)).values())
            finally:
                await consumer.stop()

        return asyncio.run(ends())

    def wait_for(self, condition, seconds: float, process: subprocess.Popen) -> Published:
        """Read again and again until `condition(published)`; fails with the logs."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.published()
            if condition(found):
                return found
            assert process.poll() is None, f"the worker ended:\n{self.logs()}"
            assert time.monotonic() < deadline, f"{found.counts()}\n{self.logs()}"
            time.sleep(1)

    def wait_for_log(self, text: str, process: subprocess.Popen) -> None:
        """Read the logs again and again until they say something; fails with the logs."""
        deadline = time.monotonic() + START_SECONDS
        while text not in self.logs():
            assert process.poll() is None, f"the worker ended:\n{self.logs()}"
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.2)
