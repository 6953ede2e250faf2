"""From `quiet-hours` to silences: the agent on a real broker and a real Alertmanager."""

import asyncio
import contextlib
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from streams.agents import quiet as agent_module
from streams.agents.quiet import QuietAgent, read_quiet_hours
from streams.alerting.alertmanager import Alert, Alertmanager
from streams.alerting.silences import Matcher, Silence, Silences
from streams.kafka.topics import QUIET_HOURS
from streams.metrics.shown import Metrics, Share
from streams.records.quiet_hours import QuietHours
from streams.settings import Settings
from tests.streams.waiting import until

PARTITIONS = 3
# By the severity that it has.
ALERTS = {
    "InfantDeviating": "high",
    "InfantDrifting": "medium",
    "InfantCryingLess": "low",
    "MonitorSilent": "medium",
}


def clock(minutes: int) -> str:
    """The time of day so many minutes from now, in UTC."""
    return f"{datetime.now(UTC) + timedelta(minutes=minutes):%H:%M}"


class Hospital:
    """A ward of its own on a broker and an Alertmanager."""

    def __init__(self, settings: Settings, servers) -> None:
        self.settings, self.servers = settings, servers
        self.ward = f"ward-{uuid.uuid4().hex[:8]}"
        self.silences = Silences(servers.urls["alertmanager"])

    def rule(self, begins: int = -60, ends: int = 60, **changes: object) -> QuietHours:
        """Hours that begin and end so many minutes from now."""
        fields = {"ward": self.ward, "zone": "UTC", "up_to": "medium", "at_ms": 0, "who": "nurse-4"}
        return QuietHours(**{"begins": clock(begins), "ends": clock(ends), **fields, **changes})

    async def put(self, *rules: QuietHours | str) -> None:
        """Rules to set, or ids of some to take back."""
        async with AIOKafkaProducer(bootstrap_servers=self.settings.broker) as producer:
            for rule in rules:
                key, value = (rule, None) if isinstance(rule, str) else (rule.id, rule.to_json())
                name = QUIET_HOURS.name(self.settings)
                await producer.send_and_wait(name, value, key.encode())

    @contextlib.asynccontextmanager
    async def agent(self, owned: int = PARTITIONS):
        """A worker's agent at work, which owns so many partitions."""
        metrics = Metrics(CollectorRegistry(), PARTITIONS)
        metrics.own(Share.COURSES, range(owned))
        running = asyncio.create_task(QuietAgent(self.silences, metrics, self.settings).run())
        try:
            yield
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def alert(self) -> None:
        """One alert of each kind."""
        way = Alertmanager(self.servers.urls["alertmanager"])
        try:
            alerts = [
                Alert(tuple(self.labels(name, severity).items()), (), int(time.time() * 1000))
                for name, severity in ALERTS.items()
            ]
            await way.post(alerts, [], time.time())
        finally:
            await way.close()

    def labels(self, name: str, severity: str) -> dict[str, str]:
        where = {"ward": self.ward, "bed": "cot-1", "infant": f"infant-{self.ward}"}
        return {"alertname": name, "severity": severity, "system": "vagitus", **where}

    def quiet(self) -> set[str]:
        """Alerts of the ward that nobody is told of."""
        return {
            alert["labels"]["alertname"]
            for alert in self.silences.alerts(f"infant-{self.ward}")
            if alert["status"]["silencedBy"]
        }

    def kept(self) -> list[Silence]:
        return [one for one in self.silences.all() if Matcher("ward", self.ward) in one.matchers]


@pytest.fixture
def hospital(settings, alertmanager, monkeypatch) -> Hospital:
    monkeypatch.setattr(agent_module, "LOOK_SECONDS", 0.3)
    return Hospital(settings, alertmanager)


def test_lesser_alerts_are_quiet_and_not_that_nobody_listens_nor_what_is_high(hospital):
    rule = hospital.rule(why="they sleep")

    async def play() -> None:
        async with hospital.agent():
            await hospital.alert()
            await hospital.put(rule)
            await until(lambda: hospital.quiet() == {"InfantDrifting", "InfantCryingLess"})
            (silence,) = hospital.kept()
            assert (silence.who, silence.why) == ("nurse-4", f"quiet hours {rule.id}; they sleep")
            assert (silence.until_ms) == rule.window(int(time.time() * 1000))[1]
            await hospital.put(replace(rule, up_to="low"))
            await until(lambda: hospital.quiet() == {"InfantCryingLess"})
            await hospital.put(rule.id)
            await until(lambda: not hospital.kept())
            assert hospital.quiet() == set()

    asyncio.run(play())


def test_nobody_is_notified_of_what_is_quiet(hospital):
    of = hospital.servers.gateway.of
    infant = f"infant-{hospital.ward}"

    async def play() -> None:
        async with hospital.agent():
            await hospital.put(hospital.rule())
            await until(hospital.kept)
            await hospital.alert()
            await until(lambda: of("InfantDeviating", infant))
            # As soon as InfantDrifting, were it not quiet.
            await until(lambda: of("MonitorSilent", infant))

    asyncio.run(play())
    assert not of("InfantDrifting", infant) and not of("InfantCryingLess", infant)


def test_the_next_hours_are_asked_for_before_they_come(hospital):
    rule = hospital.rule(begins=120, ends=180)

    async def play() -> None:
        async with hospital.agent():
            await hospital.put(rule)
            await until(hospital.kept)
            await hospital.alert()
        assert hospital.quiet() == set()

    asyncio.run(play())
    (silence,) = hospital.kept()
    assert (silence.from_ms, silence.until_ms) == rule.window(int(time.time() * 1000))


def test_a_rule_has_one_silence_whatever_is_started_anew(hospital):
    async def play() -> None:
        await hospital.put(hospital.rule())
        async with hospital.agent(), hospital.agent(owned=0):
            await until(hospital.kept)
        hospital.servers.stop()
        hospital.servers.start("alertmanager")
        async with hospital.agent():
            (before,) = hospital.kept()
            hospital.silences.lift(before.id)
            await until(hospital.kept)
        async with hospital.agent():
            await hospital.put(hospital.rule(begins=200, ends=260))
            await until(lambda: len(hospital.kept()) == 2)

    asyncio.run(play())


def test_while_alertmanager_is_away_rules_wait_and_that_is_told_once(hospital, caplog):
    def told() -> list[str]:
        return [message for message in caplog.messages if message.startswith("Quiet hours are")]

    async def play() -> None:
        hospital.servers.stop()
        async with hospital.agent():
            await hospital.put(hospital.rule())
            await until(told)
            await asyncio.sleep(1)  # three more looks
            assert len(told()) == 1
            hospital.servers.start("alertmanager")
            await until(hospital.kept)
            await until(lambda: told()[-1] == "Quiet hours are brought about again.")

    asyncio.run(play())


def test_a_silence_of_somebodys_own_and_what_is_no_rule_are_left_alone(hospital):
    until_ms = int(time.time() * 1000) + 60_000
    ward = Matcher("ward", hospital.ward)
    hospital.silences.add([ward], until_ms, "nurse-4", "quiet hours for the photographer")

    async def play() -> None:
        async with hospital.agent():
            async with AIOKafkaProducer(bootstrap_servers=hospital.settings.broker) as producer:
                for value in (b"{", b"[]", hospital.rule().to_json()):
                    name = QUIET_HOURS.name(hospital.settings)
                    await producer.send_and_wait(name, value, b"another")
            rule = hospital.rule()
            await hospital.put(rule)
            await until(lambda: len(hospital.kept()) == 2)
        assert await read_quiet_hours(hospital.settings) == {rule.id: rule}

    asyncio.run(play())
