#!/usr/bin/env python3
"""Writes the manifests that follow from code: alert rules, Kafka's topics, its users' rights.

python -m deploy.kubernetes.write_manifests
python -m deploy.kubernetes.write_manifests --runbooks https://wiki.example/vagitus
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from deploy.prometheus.alerts import HERE, groups
from streams.alerting.notices import Addresses
from streams.alerting.thresholds import THRESHOLDS
from streams.kafka.topics import (
    ACTS,
    ADMISSIONS,
    AUDIO_CHUNKS,
    BASELINES_TABLE,
    CRY_EMBEDDINGS,
    CRY_SCORES,
    CRY_SEGMENTS,
    DEAD_LETTERS,
    DEVIATIONS,
    MARKS_TABLE,
    QUIET_HOURS,
    changelog,
    topic_configs,
)
from streams.settings import PREFIX, Settings

BASE = Path(__file__).resolve().parent / "base"
MADE = BASE / "made"
CLUSTER = "vagitus"
STRIMZI = "kafka.strimzi.io/v1"
HEADER = "# Made by `python -m deploy.kubernetes.write_manifests`.\n"
# Describe comes first where only it is given: to see that a topic is there.
SEE, READ, WRITE = ("Describe",), ("Describe", "Read"), ("Describe", "Write")
BOTH = ("Describe", "Read", "Write")
# For `vagitus doctor`: whether topics keep what they should, sound above all.
CHECK = ("DescribeConfigs",)


def settings() -> Settings:
    """The settings of the workers, as settings.env has them."""
    pairs = (line.split("=", 1) for line in (BASE / "settings.env").read_text().splitlines())
    ours = {name.removeprefix(PREFIX).lower(): value for name, value in pairs if PREFIX in name}
    return Settings(**ours)


def rules(addresses: Addresses = HERE) -> Iterator[dict]:
    """Every alert, as an object of the Prometheus operator."""
    yield {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "vagitus", "labels": {"app.kubernetes.io/name": "vagitus"}},
        "spec": {"groups": list(groups(THRESHOLDS, addresses))},
    }


def topics(at: Settings) -> Iterator[dict]:
    """Every topic, as Strimzi makes it."""
    for name, config in topic_configs(at).items():
        yield {
            "apiVersion": STRIMZI,
            "kind": "KafkaTopic",
            "metadata": {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}},
            "spec": {"partitions": at.partitions, "replicas": at.replication, "config": config},
        }


def rights(at: Settings) -> dict[str, list[dict]]:
    """What each user may do, and nothing else: access rules by its name."""
    read = (AUDIO_CHUNKS, ADMISSIONS)
    # Staff's commands are run where a worker is.
    both = (CRY_SEGMENTS, CRY_EMBEDDINGS, DEVIATIONS, ACTS, QUIET_HOURS)
    write = (CRY_SCORES, DEAD_LETTERS)
    tables = [changelog(at, table) for table in (MARKS_TABLE, BASELINES_TABLE)]
    suffixes = ("", "-timeline", "-alerts")
    return {
        "vagitus-worker": [
            *(_topic(topic.name(at), READ + CHECK) for topic in read),
            *(_topic(topic.name(at), BOTH + CHECK) for topic in both),
            *(_topic(topic.name(at), WRITE + CHECK) for topic in write),
            *(_topic(name, BOTH + CHECK) for name in tables),
            *(_group(at.app_id + suffix, ("Describe", "Read")) for suffix in suffixes),
        ],
        # Sends sound. Sees the admissions' topic: our own `play` looks whether it is there.
        "vagitus-monitors": [
            _topic(AUDIO_CHUNKS.name(at), WRITE),
            _topic(ADMISSIONS.name(at), SEE),
        ],
        # Admits and discharges: an interface to the hospital's own records, say.
        "vagitus-admissions": [
            _topic(AUDIO_CHUNKS.name(at), SEE),
            _topic(ADMISSIONS.name(at), BOTH),
        ],
        # KEDA: how far the workers have come, and how far sound has.
        "vagitus-scaler": [
            _topic(AUDIO_CHUNKS.name(at), SEE),
            _group(at.app_id, ("Describe",)),
        ],
    }


def _topic(name: str, operations: Iterable[str]) -> dict:
    return _rule("topic", name, operations)


def _group(name: str, operations: Iterable[str]) -> dict:
    return _rule("group", name, operations)


def _rule(kind: str, name: str, operations: Iterable[str]) -> dict:
    resource = {"type": kind, "name": name}  # literally: no pattern
    return {"resource": resource, "operations": list(operations)}


def users(at: Settings) -> Iterator[dict]:
    """Every user, as Strimzi makes it: with a certificate of its own."""
    for name, acls in rights(at).items():
        yield {
            "apiVersion": STRIMZI,
            "kind": "KafkaUser",
            "metadata": {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}},
            "spec": {
                "authentication": {"type": "tls"},
                "authorization": {"type": "simple", "acls": acls},
            },
        }


def pages(addresses: Addresses = HERE) -> dict[str, str]:
    """The files by name."""
    at = settings()
    made = {"rules": rules(addresses), "topics": topics(at), "users": users(at)}
    return {f"{name}.yaml": HEADER + _page(objects) for name, objects in made.items()}


class _Dumper(yaml.SafeDumper):
    """Says everything where it stands: other readers of YAML may know no aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _page(objects: Iterable[dict]) -> str:
    return yaml.dump_all(list(objects), Dumper=_Dumper, sort_keys=False, width=96)


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--runbooks", metavar="URL", default=HERE.runbooks, help="where docs/runbooks is to be read"
    )
    parser.add_argument("--grafana", metavar="URL", default="", help="where dashboards are read")
    options = parser.parse_args()
    MADE.mkdir(exist_ok=True)
    for name, page in pages(Addresses(options.runbooks, options.grafana)).items():
        (MADE / name).write_text(page)


if __name__ == "__main__":
    main()
