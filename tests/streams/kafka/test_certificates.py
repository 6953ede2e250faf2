"""Certificates are read as OpenSSL reads them, and renewed ones are taken up."""

import asyncio
import logging
import math
import ssl
import subprocess
import time

import pytest

from streams.errors import SettingsError
from streams.kafka.certificates import Files, RenewedContext, decode, expiry, read_certificates
from tests.streams.authority import Authority, Issued

DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), days=4000)


def client(authority: Authority, issued: Issued) -> Files:
    return Files(authority.certificate, issued.certificate, issued.key)


def enddate(path) -> float:
    line = ["openssl", "x509", "-in", str(path), "-noout", "-enddate"]
    said = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    return float(ssl.cert_time_to_seconds(said.strip().partition("=")[2]))


# 30 years from now are after 2049, which certificates write with four digits of the year.
@pytest.mark.parametrize("days", [1, 400, 30 * 366, -1])
def test_name_and_end_are_those_that_openssl_reads(authority, days):
    issued = authority.issue("wörker", days=days)
    (found,) = read_certificates(issued.certificate)
    assert found.name == "wörker"
    assert found.ends_at == enddate(issued.certificate)
    assert found.begins_at == pytest.approx(time.time(), abs=60)


def test_a_subject_of_several_parts_is_known_by_its_common_name(authority):
    (found,) = read_certificates(authority.certificate)
    assert found.name == "cluster-ca"


def test_what_is_cut_off_is_no_certificate(authority):
    whole = ssl.PEM_cert_to_DER_cert(authority.certificate.read_text())
    for length in range(0, len(whole), 7):
        with pytest.raises(ValueError):
            decode(whole[:length])


def test_the_first_to_end_counts_and_is_read_again_when_it_is_renewed(authority, tmp_path):
    first, second = (authority.issue("a", days=9), authority.issue("b", days=5))
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(first.certificate.read_text() + second.certificate.read_text())
    ends_at = expiry(bundle)
    assert ends_at() == enddate(second.certificate)
    bundle.write_text(first.certificate.read_text())
    assert ends_at() == enddate(first.certificate)
    bundle.unlink()
    assert ends_at() == enddate(first.certificate)


def test_of_what_was_never_there_no_end_is_said(tmp_path):
    assert math.isnan(expiry(tmp_path / "nothing")())


def wrong_files(authority: Authority, folder) -> dict[str, tuple[Files, str]]:
    ca, good, other = authority.certificate, authority.issue("good"), authority.issue("other")
    ended = authority.issue("ended", days=-1)
    locked, empty = folder / "locked.key", folder / "empty.pem"
    line = ["openssl", "pkey", "-in", str(good.key), "-aes128", "-passout", "pass:x"]
    subprocess.run([*line, "-out", str(locked)], check=True)
    empty.write_text("")
    return {
        "missing": (Files(folder / "no.crt"), r"VAGITUS_KAFKA_CA: .*no\.crt .*No such file"),
        "a folder": (Files(folder), "VAGITUS_KAFKA_CA: .*Is a directory"),
        "empty": (Files(empty), "VAGITUS_KAFKA_CA: .*holds no certificate in PEM"),
        "ended": (
            client(authority, ended),
            r"VAGITUS_KAFKA_CERTIFICATE: .*\(ended\) ended on 20\d\d-.*: renew it",
        ),
        "key is missing": (Files(ca, good.certificate, folder / "no.key"), "_KEY: .*No such file"),
        "key is none": (Files(ca, good.certificate, empty), "_KEY: .*holds no private key"),
        "key of another": (Files(ca, good.certificate, other.key), "_KEY: .*not the key of"),
        "key is locked": (Files(ca, good.certificate, locked), "_KEY: .*under a password"),
    }


@pytest.mark.parametrize(
    "what",
    ["missing", "a folder", "empty", "ended", "key is missing", "key is none", "key of another",
     "key is locked"],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named_in_one_sentence(authority, tmp_path, what):
    files, sentence = wrong_files(authority, tmp_path)[what]
    with pytest.raises(SettingsError, match=sentence) as error:
        files.load()
    assert "\n" not in str(error.value)


def test_a_certificate_of_tomorrow_asks_about_the_clock(authority, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - DAY)
    with pytest.raises(SettingsError, match="only: is this machine's clock right"):
        client(authority, authority.issue("early")).load()


async def name_seen(context: ssl.SSLContext, authority: Authority) -> str:
    """Whose certificate a server is shown over a new connection."""
    own = authority.issue("server", "IP:127.0.0.1")
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_context.load_cert_chain(own.certificate, own.key)
    server_context.load_verify_locations(authority.certificate)
    server_context.verify_mode = ssl.CERT_REQUIRED

    async def say(reader, writer):
        subject = dict(part[0] for part in writer.get_extra_info("peercert")["subject"])
        writer.write(subject["commonName"].encode())
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0, ssl=server_context) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        said = await reader.read()
        writer.close()
    return said.decode()


def test_a_new_connection_shows_the_certificate_that_lies_there_then(authority, caplog):
    mine = authority.issue("monday", file="mine")
    context = RenewedContext(client(authority, mine))
    assert asyncio.run(name_seen(context, authority)) == "monday"
    authority.issue("tuesday", file="mine")
    assert asyncio.run(name_seen(context, authority)) == "tuesday"
    with caplog.at_level(logging.ERROR):
        mine.certificate.write_text("half of it")
        for _ in range(3):
            assert asyncio.run(name_seen(context, authority)) == "tuesday"
        mine.key.unlink()
        assert asyncio.run(name_seen(context, authority)) == "tuesday"
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert ["VAGITUS_KAFKA_CERTIFICATE" in error.getMessage() for error in errors] == [True, True]


def test_an_authority_that_is_replaced_is_trusted_no_longer(tmp_path):
    before, after = Authority(tmp_path / "before"), Authority(tmp_path / "after")
    trusted, mine = tmp_path / "ca.crt", before.issue("mine")
    trusted.write_text(before.certificate.read_text())
    context = RenewedContext(Files(trusted, mine.certificate, mine.key))
    assert asyncio.run(name_seen(context, before)) == "mine"
    trusted.write_text(after.certificate.read_text())
    with pytest.raises(ssl.SSLCertVerificationError):
        asyncio.run(name_seen(context, before))
