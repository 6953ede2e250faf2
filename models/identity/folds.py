"""Thirds of the train split: settings are chosen on those held out, as val has too few pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar

from models.identity.verification import Owner

FOLDS = 3


class Owned(Protocol):
    """Anything that says whose recording it is."""

    @property
    def owner(self) -> Owner: ...


T = TypeVar("T", bound=Owned)


def split_fold(cries: Sequence[T], fold: int) -> tuple[list[T], list[T]]:
    """Part `cries` into what is trained on and a third of the installs, held out.

    Installs are dealt out by how many recordings they have, so that each third has as many.
    """
    counts = Counter(cry.owner.group for cry in cries)
    order = sorted(counts, key=lambda group: (-counts[group], group))
    held_out = set(order[fold::FOLDS])
    return (
        [cry for cry in cries if cry.owner.group not in held_out],
        [cry for cry in cries if cry.owner.group in held_out],
    )
