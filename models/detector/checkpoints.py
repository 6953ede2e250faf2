"""What a training leaves on disk while it runs: a checkpoint to go on from, and a CSV log."""

import csv
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a training needs to go on where it was interrupted.

    Attributes:
        path: of the file.
        parts: by name, what has a `state_dict`: networks, optimizers, schedules.
        settings: what must be the same for the rest to fit: plain numbers and strings.
    """

    path: Path
    parts: dict
    settings: dict

    def save(self, done: int) -> None:
        """Write it whole or not at all; `done` epochs or steps lie behind."""
        partial = self.path.with_suffix(".partial")
        states = {name: part.state_dict() for name, part in self.parts.items()}
        torch.save({"done": done, "settings": self.settings, "parts": states}, partial)
        partial.replace(self.path)

    def resume(self) -> int:
        """Load the parts, if there is a file; returns how many epochs or steps are done.

        Raises:
            ValueError: the file is of a training with other settings.
        """
        if not self.path.exists():
            return 0
        saved = torch.load(self.path, weights_only=True)
        if saved["settings"] != self.settings:
            raise ValueError(
                f"{self.path} is of a training with {saved['settings']}, not {self.settings}: "
                "remove it, or take another run folder"
            )
        for name, part in self.parts.items():
            part.load_state_dict(saved["parts"][name])
        return saved["done"]


def append_row(path: Path, row: dict[str, object]) -> None:
    """Add a row to a CSV file; the first one brings the names of the columns."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)
