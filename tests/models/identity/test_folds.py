"""A fold holds whole installs out."""

from collections import Counter

import numpy as np

from models.identity.folds import FOLDS, split_fold
from models.identity.pairs import CryFrames
from models.identity.verification import Owner


def test_folds_hold_every_install_out_once_and_never_half_of_it():
    sizes = {f"g{i}": 1 + i % 4 for i in range(10)}
    cries = [
        CryFrames(Owner(group, group, "ios", 0), np.zeros((1, 80), np.float32))
        for group, size in sizes.items()
        for _ in range(size)
    ]
    held = Counter()
    for fold in range(FOLDS):
        kept, out = split_fold(cries, fold)
        assert not {c.owner.group for c in kept} & {c.owner.group for c in out}
        assert len(kept) + len(out) == len(cries)
        held.update(c.owner.group for c in out)
    assert held == sizes
