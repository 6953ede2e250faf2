"""The rights that deploy/kubernetes gives suffice for the work, on a Kafka that enforces them."""

import asyncio
import re
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import TopicAuthorizationFailedError

from deploy.kubernetes.write_manifests import rights
from streams.kafka.connection import connection
from streams.kafka.topics import AUDIO_CHUNKS, CRY_EMBEDDINGS, DEVIATIONS
from streams.settings import Settings
from tests.streams.ward import PLACE, record_cry
from tests.system.guarded import GuardedKafka
from tests.system.pipeline import START_SECONDS, Pipeline

pytestmark = pytest.mark.system
ADMIT = ("admit", "mon-1", "infant-1", "--ward", "nicu", "--bed", "cot-1")


@pytest.fixture
def pipeline(guarded_kafka: GuardedKafka, tmp_path: Path) -> Pipeline:
    """Topics on which every user of the manifests has its rights, by its certificate's name."""
    made = Pipeline(guarded_kafka, tmp_path)
    guarded_kafka.allow({f"CN={user}": acls for user, acls in rights(made.settings).items()})
    return made


async def read_a_record(settings: Settings, topic: str) -> None:
    async with AIOKafkaConsumer(
        topic, **connection(settings), auto_offset_reset="earliest"
    ) as consumer:
        await asyncio.wait_for(consumer.getone(), START_SECONDS)


def test_every_user_can_do_its_work_and_not_anothers(pipeline, guarded_kafka, tmp_path):
    cry = str(record_cry(tmp_path / "cry.wav"))
    play = ("play", cry, "--monitor", PLACE.monitor, "--speed", "max")

    pipeline.identify(guarded_kafka.certificate_of("vagitus-monitors"))
    refused = pipeline.run(*ADMIT)
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "vagitus: The broker did not take an admission: CN=vagitus-monitors has no right to it"
    )
    pipeline.identify(guarded_kafka.certificate_of("vagitus-admissions"))
    admitted = pipeline.run(*ADMIT)
    assert admitted.returncode == 0, admitted.stderr
    refused = pipeline.run(*play)
    assert refused.returncode == 1
    assert "CN=vagitus-admissions has no right to it" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    pipeline.identify(guarded_kafka.certificate_of("vagitus-monitors"))
    played = pipeline.run(*play)
    assert played.returncode == 0, played.stderr
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(read_a_record(pipeline.settings, AUDIO_CHUNKS.name(pipeline.settings)))

    pipeline.identify(guarded_kafka.certificate_of("vagitus-worker"))
    assert "topic settings: as they are meant" in pipeline.run("doctor").stdout
    with pipeline.worker() as worker:
        # Counted, not read: what a worker may not read, this test may not either.
        deadline = time.monotonic() + START_SECONDS
        while not pipeline.count(DEVIATIONS):
            assert worker.poll() is None and time.monotonic() < deadline, pipeline.logs()
            time.sleep(1)
        # As staff do it on Kubernetes: where the worker is, as the worker.
        frozen = pipeline.run("baseline", "freeze", "infant-1", "--by", "nurse-4")
        assert frozen.returncode == 0, frozen.stderr
    assert pipeline.count(CRY_EMBEDDINGS) == 2
    assert "uthorization" not in pipeline.logs()


def test_who_has_no_rights_is_told_whose_they_would_have_to_be(pipeline, guarded_kafka):
    pipeline.identify(guarded_kafka.certificate_of("passer-by"))
    for command in (ADMIT, ("worker",)):
        refused = pipeline.run(*command)
        assert refused.returncode == 1
        assert "does not exist, or not for CN=passer-by" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


def test_what_is_read_for_staff_can_be_read_by_whoever_admits(pipeline, guarded_kafka):
    pipeline.identify(guarded_kafka.certificate_of("vagitus-admissions"))
    assert pipeline.run(*ADMIT).returncode == 0
    assert "infant-1" in pipeline.run("admissions").stdout
    checked = pipeline.run("doctor").stdout
    assert "ok    topic settings: not for CN=vagitus-admissions to see" in checked
    assert ".deviations: does not exist, or not for CN=vagitus-admissions" in checked
    pipeline.identify(guarded_kafka.certificate_of("vagitus-monitors"))
    refused = pipeline.run("admissions")
    assert refused.returncode == 1
    assert "CN=vagitus-monitors has no right to it" in refused.stderr
    checked = pipeline.run("doctor")
    assert "Traceback" not in checked.stderr
    assert re.search(r"^ok +clock: not compared", checked.stdout, re.M), checked.stdout
