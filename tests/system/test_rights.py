"""The rights that deploy/kubernetes gives suffice for the work, on a Kafka that enforces them."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import TopicAuthorizationFailedError

from deploy.kubernetes.write_manifests import rights
from streams.settings import Settings
from streams.topics import AUDIO_CHUNKS, CRY_EMBEDDINGS, DEVIATIONS
from tests.streams.ward import PLACE, record_cry
from tests.system.brokers import KAFKA, unavailable
from tests.system.pipeline import START_SECONDS, Pipeline
from tests.system.ports import free_ports

pytestmark = pytest.mark.system
PASSWORD = "only-on-loopback"
LOGIN = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    f'username="admin" password="{PASSWORD}" user_admin="{PASSWORD}";'
)
# Whoever comes without a name has the rights that a test gives; the admin has all.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=NAMELESS://127.0.0.1:{nameless},ADMIN://127.0.0.1:{admin},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=NAMELESS://127.0.0.1:{nameless},ADMIN://127.0.0.1:{admin}
listener.security.protocol.map=NAMELESS:PLAINTEXT,ADMIN:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=ADMIN
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.admin.plain.sasl.jaas.config={login}
listener.name.controller.plain.sasl.jaas.config={login}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin
log.dirs={logs}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""


class GuardedKafka:
    """An Apache Kafka whose nameless clients may do what `allow` says."""

    kind = "apache"

    def __init__(self, address: str, admin_address: str) -> None:
        from confluent_kafka.admin import AdminClient

        self.address = address
        self._admin = AdminClient(
            {
                "bootstrap.servers": admin_address,
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "PLAIN",
                "sasl.username": "admin",
                "sasl.password": PASSWORD,
            }
        )

    def create_topics(self, partitions, configs=None) -> None:
        """Create topics, as the admin."""
        from confluent_kafka.admin import NewTopic

        configs = configs or {}
        asked = [NewTopic(n, c, 1, config=dict(configs.get(n, {}))) for n, c in partitions.items()]
        for created in self._admin.create_topics(asked).values():
            created.result(60)

    def allow(self, acls: list[dict]) -> None:
        """Give these rights, and take all others away."""
        from confluent_kafka import admin

        every = admin.AclBindingFilter(
            admin.ResourceType.ANY, None, admin.ResourcePatternType.ANY, None, None,
            admin.AclOperation.ANY, admin.AclPermissionType.ANY,
        )  # fmt: skip
        self._admin.delete_acls([every])[every].result(60)
        bindings = [
            admin.AclBinding(
                admin.ResourceType[acl["resource"]["type"].upper()], acl["resource"]["name"],
                admin.ResourcePatternType.LITERAL, "User:ANONYMOUS", "*",
                admin.AclOperation[operation.upper()], admin.AclPermissionType.ALLOW,
            )
            for acl in acls for operation in acl["operations"]
        ]  # fmt: skip
        for given in self._admin.create_acls(bindings).values():
            given.result(60)
        # The controller has them; the broker, which is asked, learns of them a moment later.
        deadline = time.monotonic() + START_SECONDS
        while set(self._admin.describe_acls(every).result(60)) != set(bindings):
            assert time.monotonic() < deadline, "the rights are not in force"
            time.sleep(0.2)


@pytest.fixture
def kafka(tmp_path) -> Iterator[GuardedKafka]:
    pytest.importorskip("confluent_kafka")
    data = tmp_path / "kafka"
    data.mkdir()
    nameless, admin, controller = free_ports(3)
    page = PROPERTIES.format(
        nameless=nameless, admin=admin, controller=controller, login=LOGIN, logs=data / "logs"
    )
    (data / "server.properties").write_text(page)
    (data / "address").write_text(f"127.0.0.1:{nameless}")
    script = [sys.executable, str(KAFKA)]
    started = subprocess.run(
        [*script, "start", "--data", str(data)], capture_output=True, text=True, timeout=300
    )
    if started.returncode:
        unavailable((started.stderr.strip() or "no Kafka").splitlines()[-1])
    yield GuardedKafka(f"127.0.0.1:{nameless}", f"127.0.0.1:{admin}")
    subprocess.run([*script, "stop", "--data", str(data)], timeout=60, check=False)


def given(settings: Settings, *users: str) -> list[dict]:
    return [acl for user in users for acl in rights(settings)[user]]


async def read_a_record(settings: Settings, topic: str) -> None:
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=settings.broker, auto_offset_reset="earliest"
    ) as consumer:
        await asyncio.wait_for(consumer.getone(), START_SECONDS)


def test_every_user_can_do_its_work_and_not_anothers(kafka, tmp_path: Path):
    pipeline = Pipeline(kafka, tmp_path)
    settings = pipeline.settings
    cry = str(record_cry(tmp_path / "cry.wav"))

    kafka.allow(given(settings, "vagitus-monitors"))
    refused = pipeline.run("admit", "mon-1", "infant-1", "--ward", "nicu", "--bed", "cot-1")
    assert refused.returncode == 1
    kafka.allow(given(settings, "vagitus-admissions"))
    admitted = pipeline.run("admit", "mon-1", "infant-1", "--ward", "nicu", "--bed", "cot-1")
    assert admitted.returncode == 0, admitted.stderr
    assert pipeline.run("play", cry, "--monitor", PLACE.monitor).returncode == 1
    kafka.allow(given(settings, "vagitus-monitors"))
    played = pipeline.run("play", cry, "--monitor", PLACE.monitor, "--speed", "max")
    assert played.returncode == 0, played.stderr
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(read_a_record(settings, AUDIO_CHUNKS.name(settings)))

    kafka.allow(given(settings, "vagitus-worker"))
    with pipeline.worker() as worker:
        # Counted, not read: what a worker may not read, this test may not either.
        deadline = time.monotonic() + START_SECONDS
        while not pipeline.count(DEVIATIONS):
            assert worker.poll() is None and time.monotonic() < deadline, pipeline.logs()
            time.sleep(1)
    assert pipeline.count(CRY_EMBEDDINGS) == 1
    assert "uthorization" not in pipeline.logs()
