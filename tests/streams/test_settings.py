"""Settings are read once; a wrong one stops the start with one sentence."""

import pytest

from streams.errors import SettingsError
from streams.settings import PLAINTEXT, Settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith("VAGITUS_"):
            monkeypatch.delenv(name)


def test_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("VAGITUS_BROKER", "kafka:9092")
    monkeypatch.setenv("VAGITUS_PARTITIONS", "8")
    settings = Settings.read()
    assert (settings.broker, settings.partitions) == ("kafka:9092", 8)


def test_the_command_line_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("VAGITUS_BROKER", "kafka:9092")
    assert Settings.read(broker="other:9092").broker == "other:9092"
    assert Settings.read(broker=None).broker == "kafka:9092"


def test_an_unknown_setting_is_named(monkeypatch):
    monkeypatch.setenv("VAGITUS_PARTITION", "8")
    with pytest.raises(SettingsError, match="VAGITUS_PARTITION"):
        Settings.read()


@pytest.mark.parametrize(
    ("name", "value"),
    [("PARTITIONS", "many"), ("PARTITIONS", "0"), ("ONSET_SCORE", "1.5"), ("APP_ID", "a b")],
)
def test_a_wrong_setting_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"VAGITUS_{name}", value)
    with pytest.raises(SettingsError, match=f"VAGITUS_{name}: .+") as error:
        Settings.read()
    assert "\n" not in str(error.value)


def test_a_timeline_elsewhere_is_refused_without_its_password(monkeypatch):
    monkeypatch.setenv("VAGITUS_TIMELINE_URL", "mysql://u:secret@host/d")
    with pytest.raises(SettingsError, match="VAGITUS_TIMELINE_URL: it begins with") as error:
        Settings.read()
    assert "secret" not in str(error.value)
    settings = Settings(timeline_url="postgresql://u:secret@host/d")
    assert "secret" not in repr(settings)


def test_an_alertmanager_that_is_no_address_is_refused_without_its_password(monkeypatch):
    monkeypatch.setenv("VAGITUS_ALERTMANAGER_URL", "u:secret@host")
    with pytest.raises(SettingsError, match="VAGITUS_ALERTMANAGER_URL: it begins with") as error:
        Settings.read()
    assert "secret" not in str(error.value)
    settings = Settings(alertmanager_url="http://u:secret@host:9093/")
    assert settings.alertmanager_url.endswith(":9093")
    assert "secret" not in repr(settings)


def test_an_offset_above_the_onset_is_refused(monkeypatch):
    monkeypatch.setenv("VAGITUS_OFFSET_SCORE", "0.9")
    with pytest.raises(SettingsError, match="OFFSET_SCORE"):
        Settings.read()


TLS = {"SECURITY": "tls"}
SASL = {"SECURITY": "sasl-tls", "USER": "mon-1"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"SECURITY": "ssl"}, "VAGITUS_KAFKA_SECURITY: .*'plaintext', 'tls' or 'sasl-tls'"),
        ({"CA": "ca.crt"}, "KAFKA_CA means nothing with .*=plaintext: set that to tls or sasl-tls"),
        ({"PASSWORD": "x"}, "KAFKA_PASSWORD means nothing with .*=plaintext: set that to sasl-tls"),
        ({**TLS, "USER": "mon-1"}, "KAFKA_USER means nothing with .*=tls"),
        ({**TLS, "CERTIFICATE": "a"}, "KAFKA_CERTIFICATE and VAGITUS_KAFKA_KEY need each other"),
        ({**TLS, "KEY": "a"}, "KAFKA_CERTIFICATE and VAGITUS_KAFKA_KEY need each other"),
        ({"SECURITY": "sasl-tls", "PASSWORD": "x"}, "KAFKA_USER is missing"),
        (SASL, "KAFKA_PASSWORD or VAGITUS_KAFKA_PASSWORD_FILE: set one"),
        ({**SASL, "PASSWORD": "x", "PASSWORD_FILE": "y"}, "KAFKA_PASSWORD_FILE: set one of them"),
        ({**SASL, "PASSWORD": "x", "SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM: .*'PLAIN'"),
    ],
)
def test_what_does_not_belong_together_is_said(monkeypatch, given, sentence):
    for name, value in given.items():
        monkeypatch.setenv(f"VAGITUS_KAFKA_{name}", value)
    with pytest.raises(SettingsError, match=sentence) as error:
        Settings.read()
    assert "\n" not in str(error.value)


def test_an_empty_file_name_is_none(monkeypatch):
    for name in ("CA", "CERTIFICATE", "KEY", "PASSWORD_FILE"):
        monkeypatch.setenv(f"VAGITUS_KAFKA_{name}", "")
    assert Settings.read() == Settings()


def test_the_password_of_kafka_is_not_shown(monkeypatch):
    for name, value in {**SASL, "PASSWORD": "secret"}.items():
        monkeypatch.setenv(f"VAGITUS_KAFKA_{name}", value)
    settings = Settings.read()
    assert settings.kafka_password.get_secret_value() == "secret"
    assert "secret" not in repr(settings) + str(settings)


def test_what_is_set_of_kafkas_security_can_be_left_out_as_a_whole(monkeypatch):
    for name, value in {**SASL, "CA": "ca.crt", "CERTIFICATE": "c", "KEY": "k"}.items():
        monkeypatch.setenv(f"VAGITUS_KAFKA_{name}", value)
    monkeypatch.setenv("VAGITUS_KAFKA_PASSWORD_FILE", "word")
    assert Settings.read().kafka_user == "mon-1"
    assert Settings.read(**PLAINTEXT) == Settings(**PLAINTEXT)
