"""Finished rows of the tables on disk: an interrupted command goes on after the last of them."""

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Row:
    """One row of one table.

    Attributes:
        table: `backbones`, `table2` ...
        name: of the row.
        settings: what the figures depend on: epochs, steps, seed ...
        figures: by name, what was measured.
        made: when, where, how and from which commit.
    """

    table: str
    name: str
    settings: dict[str, object]
    figures: dict[str, object]
    made: dict[str, object]


class RowStore:
    """The rows in a folder, a JSON file each.

    Args:
        folder: of the files.
        command: that the user gave, for the record.
    """

    def __init__(self, folder: Path, command: str = "") -> None:
        self.folder = folder
        # What runs is what was loaded, whatever is committed while it runs.
        self._origin = {"commit": _commit(), "command": command}

    def row(
        self, table: str, name: str, settings: dict[str, object], measure: Callable[[], dict]
    ) -> Row:
        """The stored row, or else a new one with the figures that `measure` returns.

        A row with other settings is measured again.
        """
        path = self.folder / f"{table}-{name}.json"
        if path.exists():
            stored = Row(**json.loads(path.read_text()))
            if stored.settings == settings:
                return stored
        began = time.monotonic()
        figures = measure()
        made = _here() | self._origin | {"seconds": round(time.monotonic() - began)}
        row = Row(table, name, settings, figures, made)
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(row), indent=1) + "\n")
        partial.replace(path)
        return row

    def table(self, table: str) -> dict[str, Row]:
        """The stored rows of a table, by name."""
        paths = sorted(self.folder.glob(f"{table}-*.json"))
        rows = [Row(**json.loads(path.read_text())) for path in paths]
        return {row.name: row for row in rows}


def _here() -> dict[str, object]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores ({platform.machine()}), CPU",
        "threads": torch.get_num_threads(),
    }


def _commit() -> str:
    """The commit of this code, `+` if it has been changed since; empty outside a repository."""
    try:
        said = [
            subprocess.run(
                ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (["rev-parse", "--short", "HEAD"], ["status", "--short", "models"])
        ]
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said[0] + ("+" if said[1] else "")
