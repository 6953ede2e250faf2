"""Two workers: whoever owns an infant shows it, and nobody else does."""

import asyncio
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from streams.kafka.partitioning import partition_of
from streams.kafka.topics import (
    AUDIO_CHUNKS,
    CRY_EMBEDDINGS,
    CRY_SCORES,
    DEVIATIONS,
    MARKS_TABLE,
)
from streams.records.admission import Admission
from streams.records.baseline_act import BaselineAct
from streams.timeline.acts import ActKind
from tests.streams.loudness import arrival
from tests.streams.ward import deviation
from tests.system.pipeline import PARTITIONS, Pipeline

pytestmark = pytest.mark.system

COTS = 12
WAIT_SECONDS = 120
PAUSE = 0.05
# One of each share that a worker owns partitions of.
SOUND, BASELINE, COURSE = (
    "vagitus_cry_active",
    "vagitus_learning_paused_timestamp_seconds",
    "vagitus_deviation_sigma",
)
HEARD = "vagitus_monitor_last_chunk_timestamp_seconds"
KINDS = (SOUND, BASELINE, COURSE, HEARD)

Page = dict[tuple[str, str], float]
"""By series and infant or monitor."""


@dataclass
class Worker:
    """One worker of two."""

    process: subprocess.Popen
    address: Path

    def page(self) -> Page:
        """What it shows now; nothing while it does not answer, as to Prometheus."""
        try:
            with urlopen(self.address.read_text(), timeout=1) as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        return {
            (sample.name, sample.labels.get("infant") or sample.labels["monitor"]): sample.value
            for family in text_string_to_metric_families(text)
            if family.name in KINDS
            for sample in family.samples
        }

    def end(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        self.process.wait()


@dataclass
class Watch:
    """Scrapes two workers by turns, without a pause to speak of."""

    workers: list[Worker]
    twice: set[tuple[str, str]] = field(default_factory=set)
    last: dict[tuple[str, str], float] = field(default_factory=dict)
    gaps: dict[tuple[str, str], float] = field(default_factory=dict)
    pages: tuple[Page, ...] = ()

    @contextmanager
    def running(self):
        stop = threading.Event()
        thread = threading.Thread(target=self._watch, args=(stop,))
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(PAUSE):
            workers = list(self.workers)
            pages = [worker.page() for worker in workers]
            again = workers[0].page()
            # Shown by the first before and after the second has shown it: by both at once.
            for other in pages[1:]:
                self.twice |= pages[0].keys() & other.keys() & again.keys()
            now = time.monotonic()
            for shown in set().union(*pages):
                if shown in self.last:
                    gap = now - self.last[shown]
                    self.gaps[shown] = max(gap, self.gaps.get(shown, 0.0))
                self.last[shown] = now
            self.pages = tuple(pages)

    def until(self, condition: Callable[[tuple[Page, ...]], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not (self.pages and condition(self.pages)):
            assert time.monotonic() < deadline, [sorted(page) for page in self.pages]
            time.sleep(PAUSE)


class Ward:
    """Infants that are known, one of them not learned from, and workers for them."""

    def __init__(self, broker, folder: Path) -> None:
        self.pipeline = Pipeline(broker, folder)
        self.pipeline.environment["VAGITUS_SILENT_AFTER_SECONDS"] = "2"
        self.folder = folder
        self.started = 0
        self.infants = [f"infant-{number}" for number in range(COTS)]
        self.everything = {(kind, infant) for kind in KINDS[:3] for infant in self.infants}
        self.everything |= {(HEARD, f"mon-{number}") for number in range(COTS)}
        self.began_ms = int(time.time() * 1000)
        self.admissions = [
            Admission(f"mon-{number}", infant, "nicu", f"cot-{number}", self.began_ms)
            for number, infant in enumerate(self.infants)
        ]

    async def cry(self) -> None:
        """Each infant has cried, and of the first nothing is to be learned."""
        settings = self.pipeline.settings
        async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
            for number, admission in enumerate(self.admissions):
                said = deviation(
                    0, admission.place(), sigma=number / 10, started_at_ms=self.began_ms
                )
                await producer.send_and_wait(
                    DEVIATIONS.name(settings),
                    said.to_json(),
                    partition=partition_of(admission.infant, PARTITIONS),
                )
            act = BaselineAct.now(ActKind.LEARNING_PAUSED, self.infants[0], "physician-2")
            self.paused_at = act.at_ms / 1000
            key, value, headers = act.encode()
            await producer.send_and_wait(CRY_EMBEDDINGS.name(settings), value, key, headers=headers)

    def hear(self, monitor: str, second: int) -> None:
        """One second of a monitor, put where those of the first lie, is heard and scored."""
        settings = self.pipeline.settings
        before = self.pipeline.count(CRY_SCORES)

        async def play() -> None:
            chunk = arrival(monitor, second, 0.0, 0, start_ms=self.began_ms).chunk
            key, value, headers = chunk.encode()
            async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
                await producer.send_and_wait(
                    AUDIO_CHUNKS.name(settings), value, key, headers=headers,
                    partition=partition_of("mon-0", PARTITIONS),
                )  # fmt: skip

        asyncio.run(play())
        self._until(lambda: self.pipeline.count(CRY_SCORES) > before)

    def fall_silent(self) -> None:
        """The first monitor does, and of its sound nothing is needed any more."""
        # One row when it is first heard, and one when it has fallen silent.
        self._until(lambda: self.pipeline.rows(MARKS_TABLE) == 2)

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.pipeline.logs()
            time.sleep(PAUSE)

    @contextmanager
    def worker(self):
        self.started += 1
        address = self.folder / f"address-{self.started}"
        environment = self.pipeline.environment
        environment["VAGITUS_STATE_DIR"] = str(self.folder / f"state-{self.started}")
        process = self.pipeline.start(
            "worker", "--metrics-port", "0", "--log-level", "WARNING",
            "--metrics-address-file", str(address),
        )  # fmt: skip
        try:
            deadline = time.monotonic() + WAIT_SECONDS
            while not (address.exists() and address.read_text()):
                assert process.poll() is None and time.monotonic() < deadline, self.pipeline.logs()
                time.sleep(PAUSE)
            yield Worker(process, address)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def is_whole(self, page: Page) -> bool:
        return page.keys() == self.everything

    def is_shared(self, pages: tuple[Page, ...]) -> bool:
        first, second = pages
        whole = first.keys() | second.keys() == self.everything
        return whole and bool(first) and bool(second) and not first.keys() & second.keys()


@pytest.fixture
def ward(broker, tmp_path) -> Ward:
    return Ward(broker, tmp_path)


def test_an_infant_is_shown_by_its_worker_and_never_by_two(ward, capsys):
    told = {}
    with ExitStack() as workers:
        first = workers.enter_context(ward.worker())
        ward.pipeline.admit(ward.admissions)
        asyncio.run(ward.cry())
        watch = Watch([first])
        with watch.running():
            watch.until(lambda pages: ward.is_whole(pages[0]))
            ward.hear("mon-0", 0)
            ward.hear("mon-0", 1)
            ward.fall_silent()
            ward.hear("stranger", 2)  # else the first one's sound would be read again
            watch.gaps.clear()

            second = workers.enter_context(ward.worker())
            watch.workers = [first, second]
            watch.until(lambda pages: len(pages) == 2 and ward.is_shared(pages))
            told["joins"] = dict(watch.gaps)

            watch.gaps.clear()
            first.end(signal.SIGTERM)
            watch.until(lambda pages: ward.is_whole(pages[1]))
            told["ends"] = dict(watch.gaps)

            third = workers.enter_context(ward.worker())
            watch.workers = [third, second]
            watch.until(ward.is_shared)
            watch.gaps.clear()
            second.end(signal.SIGKILL)
            watch.until(lambda pages: ward.is_whole(pages[0]))
            told["is killed"] = dict(watch.gaps)
            last = watch.pages[0]

            fourth = workers.enter_context(ward.worker())
            watch.workers = [fourth, third]
            watch.until(ward.is_shared)
            # What it would answer when it goes on, before it has heard that it was given up.
            third.process.send_signal(signal.SIGSTOP)
            watch.until(lambda pages: ward.is_whole(pages[0]))
            third.process.send_signal(signal.SIGCONT)
            watch.until(ward.is_shared)
    assert watch.twice == set()
    # What was known of infants and monitors is known to whoever came last.
    heard = {name: last[HEARD, name] for kind, name in last if kind == HEARD}
    never = {f"mon-{number}": 0 for number in range(1, COTS)}
    assert heard == never | {"mon-0": ward.began_ms / 1000 + 1}
    sigmas = [last[COURSE, infant] for infant in ward.infants]
    assert sigmas == pytest.approx([number / 10 for number in range(COTS)])
    paused = {infant: last[BASELINE, infant] for infant in ward.infants}
    assert paused == dict.fromkeys(ward.infants, 0) | {ward.infants[0]: ward.paused_at}
    with capsys.disabled():
        for what, gaps in told.items():
            longest = {kind: max(g for (k, _), g in gaps.items() if k == kind) for kind in KINDS}
            print(f"\nshown by nobody when a worker {what}: ", end="")
            print(", ".join(f"{kind} {gap:.1f} s" for kind, gap in longest.items()), end=" ")
