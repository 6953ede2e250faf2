"""deploy/kubernetes: as its readers' schemas want it, up to date, least privilege throughout."""

import copy
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.kubernetes.write_manifests import BASE, MADE, pages, rights, settings
from streams.cli import cli
from streams.kafka.topics import AUDIO_CHUNKS, topic_configs
from streams.settings import PREFIX, Settings
from tests.deploy.kinds import CLASSES, STRIMZI, faults, is_kubernetes_own, strimzi_faults

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".cache" / "strimzi"
KUSTOMIZATION = yaml.safe_load((BASE / "kustomization.yaml").read_text())


def objects() -> list[dict]:
    """Everything that is applied, as it stands in the files."""
    found = []
    for name in KUSTOMIZATION["resources"]:
        found += yaml.safe_load_all((BASE / name).read_text())
    return found


def one(kind: str, name: str = "") -> dict:
    """The only object of a kind, or the one with a name."""
    (found,) = (
        o for o in objects() if o["kind"] == kind and name in ("", o["metadata"]["name"])
    )  # fmt: skip
    return copy.deepcopy(found)


def worker() -> dict:
    """The container of a worker."""
    return container_of("StatefulSet")


def container_of(kind: str) -> dict:
    """The container of the only object of a kind."""
    (container,) = one(kind)["spec"]["template"]["spec"]["containers"]
    return container


# Our pods: the kind of what makes them, and its name, which is their user's name with Kafka.
PODS = [("StatefulSet", "vagitus-worker"), ("Deployment", "vagitus-admissions")]


def prometheus() -> dict:
    return yaml.safe_load((PROJECT / "deploy" / "prometheus" / "prometheus.yml").read_text())


def test_every_kind_has_somebody_who_knows_it():
    for entry in objects():
        known = is_kubernetes_own(entry) or entry["apiVersion"] in (*CLASSES, STRIMZI)
        assert known, entry["apiVersion"]


def test_objects_of_kubernetes_keda_and_prometheus_fit_their_schemas():
    found = [fault for o in objects() if o["apiVersion"] != STRIMZI for fault in faults(o)]
    assert found == []


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("StatefulSet", ("spec", "serviceNmae"), "x"),
        ("PodDisruptionBudget", ("spec", "maxUnavailable"), {}),
        ("ScaledObject", ("spec", "maxReplicas"), 3),
        ("ScaledObject", ("spec", "maxReplicaCount"), "many"),
        ("ServiceMonitor", ("spec", "joblabel"), "x"),
    ],
)
def test_a_slip_would_be_seen(kind, path, value):
    wrong = one(kind)
    wrong[path[0]][path[1]] = value
    assert faults(wrong)


def test_strimzis_operator_reads_every_kafka_object_whole():
    ours = [entry for entry in objects() if entry["apiVersion"] == STRIMZI]
    assert {entry["kind"] for entry in ours} == {
        "Kafka",
        "KafkaNodePool",
        "KafkaTopic",
        "KafkaUser",
    }
    assert strimzi_faults(ours, CACHE) == []
    wrong = one("KafkaUser", "vagitus-scaler")
    wrong["spec"]["authorization"]["acls"][0]["operatoins"] = ["All"]
    assert "operatoins" in " ".join(strimzi_faults([wrong], CACHE))
    wrong = one("KafkaUser", "vagitus-scaler")
    wrong["spec"]["authorization"]["acls"][0]["operations"] = ["Everything"]
    assert "Everything" in " ".join(strimzi_faults([wrong], CACHE))


def test_kustomize_builds_it():
    if not shutil.which("kubectl"):
        pytest.skip("there is no kubectl here")
    line = ["kubectl", "kustomize", str(BASE)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    assert len(built) == len(objects()) + 1  # the settings
    assert {o["metadata"].get("namespace", "vagitus") for o in built} == {"vagitus"}
    (config,) = (o for o in built if o["kind"] == "ConfigMap")
    (stateful,) = (o for o in built if o["kind"] == "StatefulSet")
    (container,) = stateful["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": config["metadata"]["name"]}}]
    version = re.search(r'^version = "(.*)"', (PROJECT / "pyproject.toml").read_text(), re.M)[1]
    assert container["image"].endswith(f":{version}")
    assert [fault for o in built if o["apiVersion"] != STRIMZI for fault in faults(o)] == []


def test_what_is_made_is_up_to_date():
    assert {path.name: path.read_text() for path in MADE.iterdir()} == pages()


def test_the_rules_are_those_of_the_rule_files():
    files = (PROJECT / "deploy" / "prometheus" / "rules").glob("*.yaml")
    tested = [group for f in files for group in yaml.safe_load(f.read_text())["groups"]]
    ours = one("PrometheusRule")["spec"]["groups"]
    assert sorted(ours, key=lambda g: g["name"]) == sorted(tested, key=lambda g: g["name"])


def test_workers_are_scraped_as_the_rules_expect():
    (job,) = prometheus()["scrape_configs"]
    monitor, service = one("ServiceMonitor")["spec"], one("Service")
    labels = service["metadata"]["labels"]
    assert labels[monitor["jobLabel"]] == job["job_name"]
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    (endpoint,) = monitor["endpoints"]
    assert endpoint["interval"] == prometheus()["global"]["scrape_interval"]
    assert endpoint["scrapeTimeout"] == prometheus()["global"]["scrape_timeout"]
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]


def test_every_topic_is_made_with_its_own_retention():
    at = settings()
    made = {o["metadata"]["name"]: o["spec"] for o in objects() if o["kind"] == "KafkaTopic"}
    assert {name: spec["config"] for name, spec in made.items()} == topic_configs(at)
    assert {spec["partitions"] for spec in made.values()} == {at.partitions}
    assert {spec["replicas"] for spec in made.values()} == {at.replication} == {3}


def test_nobody_may_do_everything():
    names = set(topic_configs(settings()))
    for user, acls in rights(settings()).items():
        for acl in acls:
            assert set(acl["resource"]) == {"type", "name"}, user
            assert set(acl["operations"]) <= {"Describe", "DescribeConfigs", "Read", "Write"}, user
            assert acl["resource"]["type"] == "group" or acl["resource"]["name"] in names
    writes = {
        acl["resource"]["name"]
        for acl in rights(settings())["vagitus-monitors"]
        if "Write" in acl["operations"]
    }
    assert writes == {AUDIO_CHUNKS.name(settings())}


def test_settings_can_be_used_and_leave_passwords_to_secrets(monkeypatch):
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    lines = (BASE / "settings.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert Settings.read() == settings()
    assert not any("PASSWORD" in name for name in given)
    assert not re.search(r"://[^/@]*:[^/@]*@", " ".join(given.values()))
    assert [o for o in objects() if o["kind"] == "Secret"] == []
    for variable in worker()["env"]:
        assert list(variable["valueFrom"]) == ["secretKeyRef"]


@pytest.mark.parametrize("kind", [kind for kind, _ in PODS])
def test_our_pods_are_restricted(kind):
    pod = one(kind)["spec"]["template"]["spec"]
    context, own = pod["securityContext"], container_of(kind)["securityContext"]
    assert context["runAsNonRoot"] and context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["allowPrivilegeEscalation"] is False and own["readOnlyRootFilesystem"] is True
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False
    image = (PROJECT / "deploy" / "image" / "Dockerfile").read_text()
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in image
    # Variables of services named vagitus-… would be taken for settings, and refused.
    assert pod["enableServiceLinks"] is False

    assert "/var/lib/vagitus" in [mount["mountPath"] for mount in worker()["volumeMounts"]]


@pytest.mark.parametrize(("kind", "user"), PODS)
def test_each_pod_shows_kafka_the_certificate_of_its_own_user(kind, user):
    at, pod = settings(), one(kind)["spec"]["template"]["spec"]
    assert at.kafka_security == "tls"
    (mount,) = (m for m in container_of(kind)["volumeMounts"] if m["name"] == "kafka")
    assert mount["readOnly"] is True
    assert "subPath" not in mount  # what is renewed would not come to it
    (volume,) = (v for v in pod["volumes"] if v["name"] == "kafka")
    assert volume["projected"]["defaultMode"] == 0o440  # the group is fsGroup
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]
    placed = {
        Path(mount["mountPath"]) / item["path"]: (source["secret"]["name"], item["key"])
        for source in volume["projected"]["sources"]
        for item in source["secret"]["items"]
    }
    # As Strimzi names its secrets and what is in them.
    assert placed == {
        at.kafka_ca: (f"{one('Kafka')['metadata']['name']}-cluster-ca-cert", "ca.crt"),
        at.kafka_certificate: (user, "user.crt"),
        at.kafka_key: (user, "user.key"),
    }
    assert one("KafkaUser", user)["spec"]["authentication"] == {"type": "tls"}
    assert container_of(kind)["envFrom"] == worker()["envFrom"]


def test_nobody_comes_to_kafka_without_encryption_or_a_name():
    kafka = one("Kafka")["spec"]["kafka"]
    for listener in kafka["listeners"]:
        assert listener["tls"] is True
        assert listener["authentication"] == {"type": "tls"}
    assert kafka["authorization"] == {"type": "simple"}


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_probes_ask_for_progress(probe):
    program, name, *options = worker()[probe]["exec"]["command"]
    assert (program, name) == ("vagitus", "health")
    command = cli.get_command(None, name)
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(options) <= known


def test_what_selects_the_workers_finds_them():
    labels = one("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    chosen = [
        one("StatefulSet")["spec"]["selector"]["matchLabels"],
        one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        one("NetworkPolicy", "vagitus-worker")["spec"]["podSelector"]["matchLabels"],
        one("Service")["spec"]["selector"],
    ]
    for selector in chosen:
        assert selector.items() <= labels.items()
    assert one("StatefulSet")["spec"]["serviceName"] == one("Service")["metadata"]["name"]
    assert (
        one("ScaledObject")["spec"]["scaleTargetRef"]["name"]
        == (one("StatefulSet")["metadata"]["name"])
    )


def test_a_worker_may_reach_what_its_settings_name():
    at = settings()
    policy = one("NetworkPolicy", "vagitus-worker")["spec"]
    out = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    addresses = (at.broker, at.timeline_url, at.alertmanager_url)
    assert out == {53} | {int(re.search(r":(\d+)(/\w+)?$", url)[1]) for url in addresses}


@pytest.mark.parametrize(("kind", "name"), PODS)
def test_our_pods_and_the_scaler_may_reach_kafka(kind, name):
    (listener,) = one("Kafka")["spec"]["kafka"]["listeners"]
    assert settings().broker.endswith(f":{listener['port']}")
    policy = one("NetworkPolicy", name)["spec"]
    labels = one(kind)["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    nodes = {"podSelector": {"matchLabels": {"strimzi.io/cluster": "vagitus"}}}
    (out,) = (rule for rule in policy["egress"] if rule.get("to") == [nodes])
    assert out["ports"] == [{"port": listener["port"]}]
    ours, keda = listener["networkPolicyPeers"]
    assert ours["podSelector"]["matchLabels"].items() <= labels.items()
    assert keda["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "keda"}


def test_whoever_admits_speaks_to_kafka_only():
    policy = one("NetworkPolicy", "vagitus-admissions")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"} and "ingress" not in policy
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 9093}


def test_scaling_follows_the_workers_lag_by_a_user_that_may_only_look():
    at, scaled = settings(), one("ScaledObject")["spec"]
    (trigger,) = scaled["triggers"]
    assert trigger["metadata"]["bootstrapServers"].endswith(at.broker.partition(":")[2])
    assert trigger["metadata"]["consumerGroup"] == at.app_id
    assert trigger["metadata"]["topic"] == AUDIO_CHUNKS.name(at)
    assert 2 <= scaled["minReplicaCount"] < scaled["maxReplicaCount"] == at.partitions
    authentication = one("TriggerAuthentication")
    assert trigger["authenticationRef"]["name"] == authentication["metadata"]["name"]
    cluster = one("Kafka")["metadata"]["name"]
    named = {found["name"] for found in authentication["spec"]["secretTargetRef"]}
    assert named == {f"{cluster}-cluster-ca-cert", "vagitus-scaler"}
    acls = one("KafkaUser", "vagitus-scaler")["spec"]["authorization"]["acls"]
    assert {operation for acl in acls for operation in acl["operations"]} == {"Describe"}
