"""Holds Kubernetes objects against the schemas of whoever reads them in a cluster.

Kubernetes' own: its published JSON schemas, strictly (`kubernetes-validate`). KEDA's and the
Prometheus operator's: classes that are generated from their CRDs (`cloudcoil-models-*`). Strimzi's:
the very classes that its operator reads them with, from Maven. Of classes, an object must come back
as it went in: what they do not know is lost there, or refused.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import cloudcoil.models.keda.v1alpha1 as keda
import cloudcoil.models.prometheus_operator.v1 as prometheus_operator
import kubernetes_validate

from tests.system.brokers import unavailable

KUBERNETES = "1.33"
CLASSES = {"keda.sh/v1alpha1": keda, "monitoring.coreos.com/v1": prometheus_operator}
STRIMZI = "kafka.strimzi.io/v1"
STRIMZI_FOLDER = Path(__file__).resolve().parent / "strimzi"
# The first time on a machine fetches 32 jars, 18 MB.
FETCH_SECONDS = 300


def is_kubernetes_own(entry: dict) -> bool:
    """Whether Kubernetes itself defines an object's kind."""
    group = entry["apiVersion"].rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def faults(entry: dict) -> list[str]:
    """What is wrong with an object that is not Strimzi's, a sentence each."""
    kind = entry["kind"]
    if is_kubernetes_own(entry):
        try:
            kubernetes_validate.validate(entry, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as error:
            return [f"{kind} {'.'.join(map(str, error.path))}: {error.message}"]
        return []
    try:
        read = getattr(CLASSES[entry["apiVersion"]], kind).model_validate(entry)
    except ValueError as error:
        return [f"{kind}: {error}"]
    again = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return list(lost(entry, again, kind))


def strimzi_faults(entries: list[dict], cache: Path) -> list[str]:
    """What is wrong with Strimzi's objects; skips, or in CI fails, without Java and Maven."""
    line = ["java", "-cp", f"{_jars(cache)}/*", str(STRIMZI_FOLDER / "ReadAgain.java")]
    done = subprocess.run(
        line, input=json.dumps(entries), capture_output=True, text=True, timeout=FETCH_SECONDS
    )
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if "Exception" in line]
        return reasons[:1] or [done.stderr]
    found = []
    for entry, again in zip(entries, json.loads(done.stdout), strict=True):
        # Its classes name a version of their own, and leave out what is false by default.
        known = {name: value for name, value in entry.items() if name != "apiVersion"}
        found += lost(known, again, entry["kind"])
    return found


def lost(one: object, again: object, where: str) -> Iterator[str]:
    """What of a JSON value is not in what was made of it."""
    if isinstance(one, dict) and isinstance(again, dict):
        for name, value in one.items():
            yield from lost(value, again.get(name), f"{where}.{name}")
    elif isinstance(one, list) and isinstance(again, list) and len(one) == len(again):
        for index, (value, other) in enumerate(zip(one, again, strict=True)):
            yield from lost(value, other, f"{where}[{index}]")
    elif one != again and not (again is None and one in (False, {})):
        yield f"{where}: {one!r} became {again!r}"


def _jars(cache: Path) -> Path:
    if not shutil.which("java") or not shutil.which("mvn"):
        unavailable("Strimzi's resources are read with Java 17 and Maven, and they are not here.")
    pom = STRIMZI_FOLDER / "pom.xml"
    # Named after the pom: another version is another set of jars.
    folder = cache / sha256(pom.read_bytes()).hexdigest()[:12]
    done = folder / "complete"
    if not done.exists():
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
        fetched = subprocess.run(
            ["mvn", "-q", "-B", "-f", str(pom), *goal],
            capture_output=True, text=True, timeout=FETCH_SECONDS,
        )  # fmt: skip
        if fetched.returncode:
            unavailable("Maven could not fetch Strimzi's classes.")
        done.touch()
    return folder
