"""An Apache Kafka that asks everybody who they are, and lets them do what they may."""

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.streams.authority import Authority
from tests.system.brokers import KAFKA, unavailable
from tests.system.ports import free_ports

PASSWORD = "only-on-loopback"
SETTLE_SECONDS = 60
LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
WORD_LOGIN = (
    f'org.apache.kafka.common.security.plain.PlainLoginModule required user_gateway="{PASSWORD}";'
)
# As Strimzi sets its nodes up: certificates in PEM, whose subject is a user's name. Through
# PROBE its starter asks whether it lives; who comes that way has no name and no rights.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PROBE://127.0.0.1:{probe},TLS://127.0.0.1:{tls},SCRAM://127.0.0.1:{scram},WORD://127.0.0.1:{word},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PROBE://127.0.0.1:{probe},TLS://127.0.0.1:{tls},SCRAM://127.0.0.1:{scram},WORD://127.0.0.1:{word}
listener.security.protocol.map=PROBE:PLAINTEXT,TLS:SSL,SCRAM:SASL_SSL,WORD:SASL_SSL,CONTROLLER:SSL
inter.broker.listener.name=TLS
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
ssl.client.auth=required
listener.name.scram.ssl.client.auth=none
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256
listener.name.scram.scram-sha-512.sasl.jaas.config={login}
listener.name.scram.scram-sha-256.sasl.jaas.config={login}
listener.name.word.ssl.client.auth=none
listener.name.word.sasl.enabled.mechanisms=PLAIN
listener.name.word.plain.sasl.jaas.config={word_login}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:CN=kafka;User:CN=admin
log.dirs={logs}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""


class GuardedKafka:
    """The broker; `certificate_of` and `scram_user` say how a client reaches it.

    Attributes:
        address: of the listener that wants certificates.
        scram_address: of the one that wants a user and a password.
        word_address: of one that takes the password itself, of the user `gateway`.
        plain_address: of one without TLS.
        authority: signs the broker's certificate and those of clients.
        client: how the admin reaches it.
    """

    kind = "apache"

    def __init__(self, data: Path, authority: Authority, ports: tuple[int, ...]) -> None:
        from confluent_kafka.admin import AdminClient

        self._data, self.authority = data, authority
        self.address, self.scram_address, self.word_address, self.plain_address = (
            f"127.0.0.1:{port}" for port in ports
        )
        self._known: dict[str, Mapping[str, str]] = {}
        self.client = self.certificate_of("admin")
        self._admin = AdminClient(
            {
                "log_level": 0,
                "bootstrap.servers": self.address,
                "security.protocol": "SSL",
                "ssl.ca.location": self.client["kafka_ca"],
                "ssl.certificate.location": self.client["kafka_certificate"],
                "ssl.key.location": self.client["kafka_key"],
            }
        )

    def certificate_of(self, user: str) -> Mapping[str, str]:
        """The settings, by field, of a client that shows a user's certificate."""
        if user not in self._known:
            issued = self.authority.issue(user)
            self._known[user] = {
                "broker": self.address,
                "kafka_security": "tls",
                "kafka_ca": str(self.authority.certificate),
                "kafka_certificate": str(issued.certificate),
                "kafka_key": str(issued.key),
            }
        return self._known[user]

    def scram_user(
        self, user: str, mechanism: str = "SCRAM-SHA-512", password: str = PASSWORD
    ) -> Mapping[str, str]:
        """The settings of a client that shows a password; the user is made, or gets another one."""
        from confluent_kafka import admin

        info = admin.ScramCredentialInfo(
            admin.ScramMechanism[mechanism.replace("-", "_")], iterations=4096
        )
        change = admin.UserScramCredentialUpsertion(user, info, password.encode())
        for made in self._admin.alter_user_scram_credentials([change]).values():
            made.result(60)
        return {
            "broker": self.scram_address,
            "kafka_security": "sasl-tls",
            "kafka_ca": str(self.authority.certificate),
            "kafka_sasl_mechanism": mechanism,
            "kafka_user": user,
            "kafka_password": password,
        }

    def restart(self) -> None:
        """Stop and start it: no connection survives."""
        for action in ("stop", "start"):
            run(action, self._data).check_returncode()

    def create_topics(self, partitions, configs=None) -> None:
        """Create topics, as the admin."""
        from confluent_kafka.admin import NewTopic

        configs = configs or {}
        asked = [NewTopic(n, c, 1, config=dict(configs.get(n, {}))) for n, c in partitions.items()]
        for created in self._admin.create_topics(asked).values():
            created.result(60)

    def allow(self, rights: Mapping[str, Iterable[dict]]) -> None:
        """Give users these rights, as a KafkaUser says them; principal by rights."""
        from confluent_kafka import admin

        bindings = {
            admin.AclBinding(
                admin.ResourceType[acl["resource"]["type"].upper()], acl["resource"]["name"],
                admin.ResourcePatternType.LITERAL, f"User:{user}", "*",
                admin.AclOperation[_snake(operation)], admin.AclPermissionType.ALLOW,
            )
            for user, acls in rights.items() for acl in acls for operation in acl["operations"]
        }  # fmt: skip
        for given in self._admin.create_acls(list(bindings)).values():
            given.result(60)
        every = admin.AclBindingFilter(
            admin.ResourceType.ANY, None, admin.ResourcePatternType.ANY, None, None,
            admin.AclOperation.ANY, admin.AclPermissionType.ANY,
        )  # fmt: skip
        # The controller has them; the broker, which is asked, learns of them a moment later.
        deadline = time.monotonic() + SETTLE_SECONDS
        while not bindings <= set(self._admin.describe_acls(every).result(60)):
            assert time.monotonic() < deadline, "the rights are not in force"
            time.sleep(0.2)


def run(action: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Start or stop the server in a folder."""
    line = [sys.executable, str(KAFKA), action, "--data", str(data)]
    return subprocess.run(line, capture_output=True, text=True, timeout=300)


def _snake(operation: str) -> str:
    """`DescribeConfigs` as DESCRIBE_CONFIGS."""
    return "".join(f"_{c}" if c.isupper() else c for c in operation).strip("_").upper()


@pytest.fixture(scope="session")
def guarded_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedKafka]:
    """One for the whole run: use topic names, and users' names with rights, of your own."""
    pytest.importorskip("confluent_kafka")
    data: Path = tmp_path_factory.mktemp("guarded")
    authority = Authority(data / "certificates")
    # Not for `localhost`: a name that is not in it is refused.
    own = authority.issue("kafka", "IP:127.0.0.1")
    keystore = data / "certificates" / "keystore.pem"
    keystore.write_text(own.key.read_text() + own.certificate.read_text())
    probe, tls, scram, word, controller = free_ports(5)
    page = PROPERTIES.format(
        probe=probe, tls=tls, scram=scram, controller=controller, logs=data / "logs",
        keystore=keystore, ca=authority.certificate, login=LOGIN, word=word,
        word_login=WORD_LOGIN,
    )  # fmt: skip
    (data / "server.properties").write_text(page)
    (data / "address").write_text(f"127.0.0.1:{probe}")
    started = run("start", data)
    if started.returncode:
        unavailable((started.stderr.strip() or "no Kafka").splitlines()[-1])
    try:
        yield GuardedKafka(data, authority, (tls, scram, word, probe))
    finally:
        run("stop", data)
