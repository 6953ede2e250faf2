"""From `deviations` to Alertmanager: the agent on a real broker and a real Alertmanager."""

import asyncio
import contextlib
import copy
import itertools
import time
import uuid

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry

from streams.admissions import AdmissionsReader
from streams.agents import alerts as agent_module
from streams.agents.alerts import AlertsAgent
from streams.alerting.alertmanager import Alertmanager
from streams.alerting.metrics import AlertMetrics
from streams.alerting.thresholds import THRESHOLDS
from streams.kafka.partitioning import partition_of
from streams.kafka.topics import DEVIATIONS
from streams.metrics.shown import Metrics
from streams.records.admission import Admission
from streams.records.place import Place
from streams.settings import Settings
from tests.streams.waiting import WAIT_SECONDS, until
from tests.streams.ward import deviation
from tests.system.brokers import embedded_broker

__all__ = ["embedded_broker"]

PARTITIONS = 2
DAY_MS = 24 * 60 * 60 * 1000
FAR = {"p_value": 0.004, "sigma": 3.2, "reason": "deviant", "gate": "held"}
MANY = THRESHOLDS.deviant_cries


class Ward:
    """A topic of its own, one infant, and agents that watch over it."""

    def __init__(self, broker, servers) -> None:
        self.name = f"t{uuid.uuid4().hex[:8]}"
        self.infant = f"infant-{self.name}"
        self.place = Place(f"mon-{self.name}", self.infant, "nicu", "cot-1")
        self.settings = Settings(
            broker=broker.address,
            topic_prefix=f"{self.name}.",
            app_id=self.name,
            partitions=PARTITIONS,
            session_timeout_seconds=6,
            alertmanager_url=servers.urls["alertmanager"],
        )
        self.servers = servers
        self.began_ms = int(time.time() * 1000)
        broker.create_topics({DEVIATIONS.name(self.settings): PARTITIONS})
        self.reader = AdmissionsReader(self.settings)
        self.reader.caught_up.set()
        self._measure()
        self.admit()

    def _measure(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics, self.told = Metrics(self.registry, PARTITIONS), AlertMetrics(self.registry)

    def worker(self) -> "Ward":
        """The same ward as another worker sees it: with metrics of its own."""
        other = copy.copy(self)
        other._measure()
        for admission in self.reader.admissions:
            other.metrics.admit(admission)
        return other

    def admit(self, bed: str = "cot-1", at_ms: int = 0) -> None:
        """Admit the infant, at first or at another bed."""
        admission = Admission(self.place.monitor, self.infant, "nicu", bed, at_ms)
        self.discharge()
        self.reader.admissions.admit(admission)
        self.metrics.admit(admission)

    def discharge(self) -> None:
        before = self.reader.admissions.discharge(self.place.monitor)
        if before is not None:
            self.metrics.discharge(before)

    @contextlib.asynccontextmanager
    async def agent(self, url: str | None = None):
        """An agent at work."""
        url = self.settings.alertmanager_url if url is None else url
        way = Alertmanager(url) if url else None
        agent = AlertsAgent(way, self.reader, self.metrics, self.told, self.settings)
        running = asyncio.create_task(agent.run())
        try:
            yield
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def cry(self, *cries: dict, place: Place | None = None) -> None:
        """Let the infant, or another one, cry so, for three seconds until now."""
        place = place or self.place
        async with AIOKafkaProducer(bootstrap_servers=self.settings.broker) as producer:
            for changes in cries:
                now_ms = int(time.time() * 1000)
                times = {"segment_id": uuid.uuid4().hex, "started_at_ms": now_ms - 3000}
                record = deviation(0, place, **times, **changes)
                await producer.send_and_wait(
                    DEVIATIONS.name(self.settings),
                    record.to_json(),
                    partition=partition_of(place.infant, PARTITIONS),
                )

    def neighbour(self) -> Place:
        """Another infant, in another partition."""
        here = partition_of(self.infant, PARTITIONS)
        names = (f"{self.infant}-{number}" for number in itertools.count(2))
        name = next(name for name in names if partition_of(name, PARTITIONS) != here)
        return Place(f"mon-{name}", name, "nicu", "cot-2")

    async def committed(self) -> int:
        """How many records were committed."""
        async with AIOKafkaConsumer(
            bootstrap_servers=self.settings.broker,
            group_id=f"{self.settings.app_id}-alerts",
            enable_auto_commit=False,
        ) as consumer:
            name = DEVIATIONS.name(self.settings)
            partitions = [TopicPartition(name, p) for p in range(PARTITIONS)]
            consumer.assign(partitions)
            return sum([await consumer.committed(tp) or 0 for tp in partitions])

    async def until_committed(self, records: int) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while await self.committed() != records:
                await asyncio.sleep(0.1)

    def held(self) -> dict | None:
        """The infant's alert as Alertmanager holds it."""
        return self.servers.alerts().get(("InfantDeviating", self.infant))

    def notified(self, firing: bool) -> list:
        return self.servers.gateway.of("InfantDeviating", self.infant, firing)

    def shown(self, series: str, bed: str = "cot-1", infant: str = "") -> float | None:
        labels = {"ward": "nicu", "bed": bed, "infant": infant or self.infant}
        return self.registry.get_sample_value(f"vagitus_{series}", labels)

    def value(self, series: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"vagitus_{series}", labels) or 0.0


@pytest.fixture
def ward(embedded_broker, alertmanager, monkeypatch) -> Ward:
    monkeypatch.setattr(agent_module, "FIRST_RETRY_SECONDS", 0.1)
    return Ward(embedded_broker, alertmanager)


def test_an_infant_s_alert_reaches_its_ward_and_ends_when_its_cries_are_usual_again(ward):
    async def play() -> None:
        async with ward.agent():
            await ward.cry({}, *(MANY - 1) * [FAR])
            await until(lambda: ward.shown("deviant_cries") == MANY - 1)
            assert ward.held() is None
            await ward.cry(FAR)
            await until(lambda: ward.notified(firing=True))
            await ward.cry({}, {})
            await until(lambda: ward.notified(firing=False))

    asyncio.run(play())
    told = ward.notified(firing=True)[0]
    assert told.receiver == "nicu/high"
    assert told.alert["labels"] == {
        "alertname": "InfantDeviating",
        "severity": "high",
        "system": "vagitus",
        "ward": "nicu",
        "bed": "cot-1",
        "infant": ward.infant,
    }
    assert f"{MANY} cries of infant {ward.infant}" in told.alert["annotations"]["description"]
    assert told.alert["annotations"]["runbook_url"] == "docs/runbooks/InfantDeviating.md"
    assert ward.value("alert_delay_seconds_count") == 1
    assert ward.value("alert_posts_total", outcome="failed") == 0


def test_while_alertmanager_is_away_reading_goes_on_and_then_it_is_told(ward):
    nobody = "http://127.0.0.1:9"

    async def play() -> None:
        async with ward.agent(url=nobody):
            await until(lambda: ward.value("alerts_looked_timestamp_seconds"))
            await ward.cry(*MANY * [FAR])
            await until(lambda: ward.value("alert_posts_total", outcome="failed") >= 2)
            assert ward.value("alerts_waiting") == 1
            assert await ward.committed() < MANY  # not the cry that made the alert
            await ward.cry(FAR)  # Prometheus' rule goes on seeing what happens
            await until(lambda: ward.shown("deviant_cries") == MANY + 1)
        async with ward.agent():
            await until(ward.held)
            await until(lambda: ward.value("alerts_waiting") == 0)
            await ward.until_committed(MANY + 1)

    asyncio.run(play())
    assert f"{MANY + 1} cries of infant {ward.infant}" in ward.held()["annotations"]["description"]


def test_whoever_takes_over_knows_the_course_from_the_cries_before(ward):
    async def play() -> None:
        await ward.cry(*(MANY - 1) * [FAR])
        async with ward.agent():
            await until(lambda: ward.shown("deviant_cries") == MANY - 1)
            await ward.until_committed(MANY - 1)
        assert ward.shown("deviant_cries") is None  # it is another worker's to say now
        async with ward.agent():
            await ward.cry(FAR)
            await until(ward.held)
            await ward.until_committed(MANY)
        posts = ward.value("alert_posts_total", outcome="taken")
        async with ward.agent():
            await until(lambda: ward.value("alert_posts_total", outcome="taken") > posts)
            await ward.cry({}, {})
            await until(lambda: ward.shown("deviant_cries") == 0)

    asyncio.run(play())
    assert ward.value("alert_delay_seconds_count") == 1  # what was told before is no news


def test_of_two_workers_one_speaks_of_each_infant(ward):
    neighbour = ward.neighbour()
    admission = Admission(neighbour.monitor, neighbour.infant, "nicu", "cot-2", 0)
    ward.reader.admissions.admit(admission)
    ward.metrics.admit(admission)
    other = ward.worker()

    def who(infant: str, bed: str) -> list[bool]:
        said = [w.shown("deviant_cries", bed, infant) for w in (ward, other)]
        return [value is not None for value in said]

    def shared() -> bool:
        first, second = who(ward.infant, "cot-1"), who(neighbour.infant, "cot-2")
        return sum(first) == sum(second) == 1 and first != second

    async def play() -> None:
        async with ward.agent():
            await ward.cry(FAR, FAR)
            await ward.cry(FAR, FAR, place=neighbour)
            await until(lambda: who(ward.infant, "cot-1") == [True, False])
            async with other.agent():
                await until(shared)
            await until(lambda: who(neighbour.infant, "cot-2") == [True, False])

    asyncio.run(play())


def test_an_alert_ends_with_the_discharge_and_moves_with_its_infant(ward):
    async def play() -> None:
        async with ward.agent():
            await ward.cry(*MANY * [FAR])
            await until(ward.held)
            ward.admit(bed="cot-2")
            await until(lambda: (ward.held() or {}).get("labels", {}).get("bed") == "cot-2")
            assert ward.shown("deviant_cries", bed="cot-1") is None
            ward.discharge()
            await until(lambda: ward.held() is None)

    asyncio.run(play())


def test_who_comes_again_after_days_is_not_alerted_about_for_the_stay_before(ward):
    async def play() -> None:
        async with ward.agent():
            await ward.cry(*MANY * [FAR])
            await until(ward.held)
            ward.admit(at_ms=ward.began_ms + 2 * DAY_MS)
            await until(lambda: ward.held() is None)

    asyncio.run(play())


def test_without_an_alertmanager_only_the_backstop_s_series_are_kept(ward):
    async def play() -> None:
        async with ward.agent(url=""):
            await ward.cry(*MANY * [FAR])
            await until(lambda: ward.shown("deviant_cries") == MANY)

    asyncio.run(play())
    assert ward.held() is None
    assert ward.value("alert_posts_total", outcome="taken") == 0


def test_what_is_no_deviation_is_passed_over(ward):
    async def play() -> None:
        async with ward.agent():
            async with AIOKafkaProducer(bootstrap_servers=ward.settings.broker) as producer:
                await producer.send_and_wait(DEVIATIONS.name(ward.settings), b"{", partition=0)
            await ward.cry(*MANY * [FAR])
            await until(ward.held)

    asyncio.run(play())
