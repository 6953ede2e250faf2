"""deploy/compose: as Compose's own specification wants it, and true of what it mounts and sets."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.compose.write_prometheus import ALERTMANAGER, CONFIGURATION, WORKER, page
from streams.kafka.topics import topic_configs
from streams.settings import PREFIX, Settings

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "deploy" / "compose"
FILE = FOLDER / "compose.yaml"
# ${NAME:-default} and ${NAME:?what to do}, as Compose fills them in.
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-\w+)?$")
FILLED_IN = "as-filled-in"


def example() -> dict[str, str]:
    """The variables of env.example."""
    lines = (FOLDER / "env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled(text: str, variables: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name, kind, default = found.groups()
        if variables.get(name):
            return variables[name]
        assert kind == "-", f"{name} has no value"
        return default

    return VARIABLE.sub(value, text).replace("$$", "$")


@pytest.fixture(scope="module")
def services() -> dict[str, dict]:
    """The services, anchors and variables resolved, passwords filled in."""
    variables = {name: value or FILLED_IN for name, value in example().items()}
    return yaml.safe_load(filled(FILE.read_text(), variables))["services"]


def mounts(service: dict) -> list[tuple[str, str]]:
    """Sources and targets of what a service mounts."""
    return [
        (volume["source"], volume["target"])
        if isinstance(volume, dict)
        else tuple(volume.split(":")[:2])
        for volume in service.get("volumes", ())
    ]


def test_it_fits_the_compose_specification():
    line = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_compose_client_takes_it(tmp_path):
    client = ["docker", "compose"]
    if not shutil.which("docker") or subprocess.run([*client, "version"]).returncode:
        pytest.skip("there is no `docker compose` here")
    filled_in, variables = tmp_path / "env", {**example(), "ALERTMANAGER_FILE": "reader.sh"}
    filled_in.write_text("".join(f"{k}={v or FILLED_IN}\n" for k, v in variables.items()))
    line = [*client, "--env-file", str(filled_in), "--file", str(FILE), "config", "--quiet"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_every_image_is_pinned_to_a_version(services):
    images = {name: service["image"] for name, service in services.items()}
    assert [name for name, image in images.items() if not PINNED.match(image)] == []
    (own,) = {image for image in images.values() if image.startswith("vagitus:")}
    assert f'version = "{own.partition(":")[2]}"' in (PROJECT / "pyproject.toml").read_text()


def test_kafka_and_grafana_are_of_the_versions_that_are_tested(services):
    pom = (PROJECT / "deploy" / "kafka" / "pom.xml").read_text()
    assert f"<version>{services['kafka']['image'].partition(':')[2]}</version>" in pom
    series = re.search(r"for Grafana (\d+\.\d+)", (PROJECT / "grafana" / "README.md").read_text())
    assert services["grafana"]["image"].startswith(f"grafana/grafana:{series[1]}.")


def test_nothing_runs_as_root_or_writes_where_nothing_is_mounted(services):
    for name, service in services.items():
        assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_kafka_may_load_the_codec_that_its_topics_ask_for(services):
    # It unpacks zstd's library into /tmp, which Docker mounts so that nothing there is executed.
    codecs = {config.get("compression.type") for config in topic_configs(Settings()).values()}
    assert ("zstd" in codecs) == ("/tmp:exec" in services["kafka"]["tmpfs"])


def test_who_runs_commands_knows_the_wards_time(services):
    own = [service for service in services.values() if service["image"].startswith("vagitus:")]
    assert [service["environment"]["TZ"] for service in own] == [example()["TIMEZONE"]] * 3


def test_whatever_runs_for_good_has_a_health_check(services):
    for name, service in services.items():
        own = service["image"].startswith("vagitus:")
        by_itself = own and service["command"][0] == "worker"  # the image's
        assert by_itself or "healthcheck" in service, name
    assert [n for n, s in services.items() if s.get("healthcheck", {}).get("disable")] == [
        "topics",
        "ward",
    ]


def test_every_file_that_is_mounted_exists_and_everything_else_is_a_volume(services):
    volumes = set(yaml.safe_load(FILE.read_text())["volumes"])
    for service in services.values():
        for source, _ in mounts(service):
            assert source in volumes or (FOLDER / source).exists(), source
        for source, target in mounts(service):
            if source not in volumes and (FOLDER / source).is_file():
                assert Path(source).suffix == Path(target).suffix


def test_a_routing_file_that_is_missing_is_not_made_as_a_folder(services):
    (routing,) = (v for v in services["alertmanager"]["volumes"] if isinstance(v, dict))
    assert routing["bind"] == {"create_host_path": False}


def test_what_services_are_told_to_read_is_mounted(services):
    for name, service in services.items():
        targets = [target for _, target in mounts(service)]
        words = " ".join([*service.get("entrypoint", []), *service.get("command", [])])
        for path in re.findall(r"/etc/[\w./-]+", words):
            assert path in targets, f"{name} reads {path}"


def test_every_setting_is_one_and_has_a_value_that_can_be_used(services, monkeypatch):
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for service in services.values():
        environment = service.get("environment", {})
        with monkeypatch.context() as context:
            for name, value in environment.items():
                context.setenv(name, str(value))
            Settings.read()
    assert services["worker"]["environment"]["VAGITUS_ALERTMANAGER_URL"].endswith(ALERTMANAGER)


def test_variables_are_those_of_the_example_and_no_secret_has_a_default():
    text = FILE.read_text()
    used = {found[1]: found for found in VARIABLE.finditer(text)}
    named = example()
    assert set(named) | {"KAFKA_CLUSTER_ID"} == set(used)
    for name, found in used.items():
        assert ("PASSWORD" in name) == (found[2] == "?"), name
        assert ("PASSWORD" in name) == (named.get(name) == ""), name
        if found[2] == "-" and name in named:
            assert named[name] == found[3]
    assert not re.search(r"PASSWORD\w*: [^$\s]", text)


def test_services_that_speak_to_each_other_share_a_network(services):
    def together(*names: str) -> bool:
        return bool(set.intersection(*(set(services[name]["networks"]) for name in names)))

    spoken_to = {"kafka": ("topics", "worker", "ward"), "postgres": ("worker", "grafana")}
    spoken_to |= {WORKER: ("prometheus",), "alertmanager": ("worker", "prometheus")}
    for server, clients in {**spoken_to, "prometheus": ("grafana",)}.items():
        assert all(together(server, client) for client in clients), server
    assert not together("kafka", "grafana")


def test_grafana_asks_and_tells_nobody_outside(services):
    settings = services["grafana"]["environment"]
    asks = {name for name in settings if re.search("CHECK|REPORTING|NEWS|SNAPSHOTS", name)}
    assert {settings[name] for name in asks} == {"false"} and len(asks) == 5
    assert settings["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"


def test_grafana_finds_what_its_data_sources_ask_for(services):
    sources = (PROJECT / "grafana" / "provisioning" / "datasources" / "vagitus.yaml").read_text()
    asked = set(re.findall(r"\$([A-Z_]+)", re.sub(r"#.*", "", sources)))
    assert asked <= set(services["grafana"]["environment"])
    boards = yaml.safe_load(
        (PROJECT / "grafana" / "provisioning" / "dashboards" / "vagitus.yaml").read_text()
    )
    path = boards["providers"][0]["options"]["path"]
    assert path in [target for _, target in mounts(services["grafana"])]


def test_prometheus_configuration_is_up_to_date():
    assert CONFIGURATION.read_text() == page()


def test_prometheus_takes_its_configuration(promtool, tmp_path):
    (tmp_path / "prometheus.yml").write_text(page())
    (tmp_path / "rules").symlink_to(PROJECT / "deploy" / "prometheus" / "rules")
    line = [promtool, "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
