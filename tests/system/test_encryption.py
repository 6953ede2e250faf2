"""The whole way of a cry over encrypted connections, and what is said where one is refused."""

import re
import signal
import time
from urllib.request import urlopen

import pytest

from streams.kafka.certificates import read_certificates
from streams.kafka.topics import DEVIATIONS, topic_configs
from tests.streams.authority import Authority
from tests.streams.ward import PLACE, record_cry
from tests.system.guarded import PASSWORD, GuardedKafka
from tests.system.pipeline import START_SECONDS, STOP_SECONDS, Pipeline

pytestmark = pytest.mark.system
TOPIC_RIGHTS = ("Describe", "DescribeConfigs", "Read", "Write")


def all_rights(pipeline: Pipeline) -> list[dict]:
    """Rights on every topic and group of a test: what each user needs is test_rights' matter."""
    app = pipeline.settings.app_id
    return [
        *({"resource": {"type": "topic", "name": name}, "operations": TOPIC_RIGHTS}
          for name in topic_configs(pipeline.settings)),
        *({"resource": {"type": "group", "name": app + suffix}, "operations": ("Read",)}
          for suffix in ("", "-timeline", "-alerts")),
    ]  # fmt: skip


@pytest.fixture
def pipeline(guarded_kafka: GuardedKafka, tmp_path) -> Pipeline:
    return Pipeline(guarded_kafka, tmp_path)


def play_a_cry(pipeline: Pipeline, tmp_path) -> None:
    cry = str(record_cry(tmp_path / "cry.wav"))
    admitted = pipeline.run("admit", "mon-1", "infant-1", "--ward", "nicu", "--bed", "cot-1")
    assert admitted.returncode == 0, admitted.stderr
    played = pipeline.run("play", cry, "--monitor", PLACE.monitor, "--speed", "max")
    assert played.returncode == 0, played.stderr


def test_a_cry_is_scored_with_a_password_within_tls(pipeline, guarded_kafka, tmp_path):
    guarded_kafka.allow({"worker-512": all_rights(pipeline)})
    client = dict(guarded_kafka.scram_user("worker-512"))
    (tmp_path / "password").write_text(client.pop("kafka_password") + "\n")
    pipeline.identify({**client, "kafka_password_file": str(tmp_path / "password")})
    checked = pipeline.run("doctor")
    assert "encrypted, and knows us as user worker-512" in checked.stdout, checked.stdout
    play_a_cry(pipeline, tmp_path)
    with pipeline.worker() as worker:
        found = pipeline.wait_for(lambda found: found.deviations, START_SECONDS, worker)
    assert [said.infant for said in found.deviations] == ["infant-1"]
    assert PASSWORD not in pipeline.logs()


def test_the_shorter_scram_is_taken_too(pipeline, guarded_kafka):
    guarded_kafka.allow({"nurse-256": all_rights(pipeline)})
    pipeline.identify(guarded_kafka.scram_user("nurse-256", "SCRAM-SHA-256"))
    listed = pipeline.run("topics", "list")
    assert listed.returncode == 0, listed.stderr
    assert "missing" not in listed.stdout


def test_a_password_itself_is_taken_within_tls(pipeline, guarded_kafka):
    guarded_kafka.allow({"gateway": all_rights(pipeline)})
    client = {
        **guarded_kafka.scram_user("gateway"),
        "broker": guarded_kafka.word_address,
        "kafka_sasl_mechanism": "PLAIN",
    }
    pipeline.identify(client)
    listed = pipeline.run("topics", "list")
    assert listed.returncode == 0, listed.stderr
    assert "missing" not in listed.stdout
    pipeline.identify({**client, "kafka_password": "wrong"})
    refused = pipeline.run("topics", "list")
    assert "does not accept user gateway with this password by PLAIN" in refused.stderr


def shown(address: str, certificate: str) -> float:
    """When a certificate ends, as the worker's metrics have it."""
    with urlopen(address) as page:
        text = page.read().decode()
    name = f'vagitus_certificate_expiry_timestamp_seconds{{certificate="{certificate}"}}'
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)[1])


def test_a_renewed_certificate_is_taken_up_by_a_running_worker(pipeline, guarded_kafka, tmp_path):
    authority = guarded_kafka.authority
    mine = authority.issue("renewed", days=3)
    pipeline.identify(
        {
            **guarded_kafka.client,
            "kafka_certificate": str(mine.certificate),
            "kafka_key": str(mine.key),
        }
    )
    guarded_kafka.allow({"CN=renewed": all_rights(pipeline)})
    checked = pipeline.run("doctor")
    assert "FAIL  certificate kafka-client" in checked.stdout
    assert f"ok    certificate {guarded_kafka.address}: ends in" in checked.stdout
    address = tmp_path / "address"
    with pipeline.worker("--metrics-address-file", str(address)) as worker:
        play_a_cry(pipeline, tmp_path)
        pipeline.wait_for(lambda found: found.deviations, START_SECONDS, worker)
        (before,) = read_certificates(mine.certificate)
        assert shown(address.read_text(), "kafka-client") == before.ends_at
        (ca,) = read_certificates(authority.certificate)
        assert shown(address.read_text(), "kafka-authority") == ca.ends_at
        (broker,) = read_certificates(authority.certificate.with_name("kafka.crt"))
        assert shown(address.read_text(), guarded_kafka.address) == broker.ends_at

        authority.issue("renewed", days=20)
        (after,) = read_certificates(mine.certificate)
        assert shown(address.read_text(), "kafka-client") == after.ends_at > before.ends_at
        # Every connection is broken, so that the worker must show what lies there now.
        guarded_kafka.restart()
        pipeline.wait_for_log("Certificates for Kafka were renewed", worker)
        assert "Kafka: Unable connect to node" in pipeline.logs()
        before_restart = pipeline.count(DEVIATIONS)
        play_a_cry(pipeline, tmp_path)
        deadline = time.monotonic() + START_SECONDS
        while pipeline.count(DEVIATIONS) == before_restart:
            assert worker.poll() is None and time.monotonic() < deadline, pipeline.logs()
            time.sleep(1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(STOP_SECONDS) == 0, pipeline.logs()


def test_a_changed_password_is_taken_up_by_a_running_worker(pipeline, guarded_kafka, tmp_path):
    guarded_kafka.allow({"changes": all_rights(pipeline)})
    file = tmp_path / "password"
    client = dict(guarded_kafka.scram_user("changes"))
    file.write_text(client.pop("kafka_password"))
    pipeline.identify({**client, "kafka_password_file": str(file)})
    with pipeline.worker() as worker:
        play_a_cry(pipeline, tmp_path)
        pipeline.wait_for(lambda found: found.deviations, START_SECONDS, worker)
        guarded_kafka.scram_user("changes", password="another-one")
        file.write_text("another-one")
        guarded_kafka.restart()
        pipeline.wait_for_log("The password for Kafka was changed", worker)
        before = pipeline.count(DEVIATIONS)
        play_a_cry(pipeline, tmp_path)
        deadline = time.monotonic() + START_SECONDS
        while pipeline.count(DEVIATIONS) == before:
            assert worker.poll() is None and time.monotonic() < deadline, pipeline.logs()
            time.sleep(1)
    assert "another-one" not in pipeline.logs()


def refusals(kafka: GuardedKafka, tmp_path) -> dict[str, tuple[dict[str, str], str]]:
    """Clients that the broker refuses, or that refuse it; and what of it is to be read."""
    good, scram = kafka.certificate_of("mon-1"), kafka.scram_user("mon-1")
    stranger = Authority(tmp_path / "stranger", "other-ca").issue("mon-1")
    nameless = {name: good[name] for name in ("broker", "kafka_security", "kafka_ca")}
    ended = kafka.authority.issue("ended", days=-1)
    return {
        "no certificate": (nameless, "wants another certificate of this client"),
        "a stranger's certificate": (
            {
                **good,
                "kafka_certificate": str(stranger.certificate),
                "kafka_key": str(stranger.key),
            },
            "(CN=mon-1) must be signed by an authority that it knows",
        ),
        "a certificate that ended": (
            {**good, "kafka_certificate": str(ended.certificate), "kafka_key": str(ended.key)},
            "VAGITUS_KAFKA_CERTIFICATE: ",
        ),
        "another host": (
            {**good, "broker": good["broker"].replace("127.0.0.1", "localhost")},
            "certificate is not valid for 'localhost'",
        ),
        "another authority": (
            {**good, "kafka_ca": str(tmp_path / "stranger" / "other-ca.crt")},
            "must hold the authority that signed it",
        ),
        "a wrong password": (
            {**scram, "kafka_password": "wrong"},
            "does not accept user mon-1 with this password by SCRAM-SHA-512",
        ),
        "a mechanism that it has not": (
            {**scram, "kafka_sasl_mechanism": "PLAIN"},
            "takes no PLAIN",
        ),
        "no TLS": ({"broker": good["broker"]}, "ends a connection that begins without TLS"),
        "TLS where there is none": (
            {**good, "broker": kafka.plain_address},
            "ends a connection that begins with TLS",
        ),
        "a certificate where a password is wanted": (
            {**good, "broker": kafka.scram_address},
            "does VAGITUS_KAFKA_SECURITY fit this port",
        ),
    }


def test_every_refusal_is_one_sentence(pipeline, guarded_kafka, tmp_path):
    for what, (client, sentence) in refusals(guarded_kafka, tmp_path).items():
        pipeline.identify(client)
        done = pipeline.run("topics", "list")
        assert done.returncode == 1, what
        assert sentence in done.stderr, f"{what}: {done.stderr}"
        assert len(done.stderr.splitlines()) == 1, f"{what}: {done.stderr}"


def test_a_worker_that_is_refused_ends_with_that_sentence(pipeline, guarded_kafka, tmp_path):
    client, sentence = refusals(guarded_kafka, tmp_path)["no certificate"]
    pipeline.identify(client)
    done = pipeline.run("worker")
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_check_up_says_a_refusal_too(pipeline, guarded_kafka, tmp_path):
    client, _ = refusals(guarded_kafka, tmp_path)["a certificate that ended"]
    pipeline.identify(client)
    done = pipeline.run("doctor")
    assert done.returncode == 1
    assert re.search(r"FAIL  broker: VAGITUS_KAFKA_CERTIFICATE: .* ended on", done.stdout)
