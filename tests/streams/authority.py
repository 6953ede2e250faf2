"""A certificate authority for tests, made by OpenSSL."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """Issues certificates into a folder; skips the test where there is no OpenSSL."""

    def __init__(self, folder: Path, name: str = "cluster-ca", days: int = 30) -> None:
        if not shutil.which("openssl"):
            pytest.skip("certificates are made with openssl, and it is not here")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name = folder, name
        self.certificate, self._key = folder / f"{name}.crt", folder / f"{name}.key"
        self.renew(days)

    def renew(self, days: int) -> None:
        """Another certificate of the authority, of another key, into the same file."""
        self._openssl(
            "req", "-x509", *EC, "-keyout", self._key, "-out", self.certificate,
            "-subj", f"/O=vagitus/CN={self._name}", "-days", days,
        )  # fmt: skip

    def issue(self, name: str, names: str = "", days: int = 20, file: str = "") -> Issued:
        """A certificate for somebody.

        Args:
            name: its common name.
            names: a server's, e.g. `IP:127.0.0.1`.
            days: how long it is valid; -1 has ended.
            file: the files' name, where not that of the subject.
        """
        made = Issued(self._folder / f"{file or name}.crt", self._folder / f"{file or name}.key")
        request = self._folder / f"{file or name}.csr"
        extension = ("-addext", f"subjectAltName={names}") if names else ()
        self._openssl(
            "req", *EC, "-keyout", made.key, "-out", request, "-utf8", "-subj", f"/CN={name}",
            *extension,
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
            "-days", days, "-copy_extensions", "copy", "-out", made.certificate,
        )  # fmt: skip
        return made

    def _openssl(self, *arguments: object) -> None:
        line = ["openssl", *map(str, arguments)]
        subprocess.run(line, check=True, capture_output=True, timeout=60)
