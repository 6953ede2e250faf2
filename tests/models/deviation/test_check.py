import numpy as np
import pytest
from simulated import Nursery

from models.deviation.check import cross_check
from models.deviation.population import WardError


def test_infants_who_stand_apart_are_told_apart():
    embeddings, infants = Nursery(3).recordings(80, np.random.default_rng(81), most=10)
    check = cross_check(embeddings, infants, range(len(infants)))
    assert check.auc > 0.97
    assert check.recall[0] > 0.8
    assert check.false_positives[0] < 0.15
    assert check.infants > 40


def test_infants_who_all_cry_alike_are_not():
    embeddings, infants = Nursery(3, between=1e-6).recordings(
        80, np.random.default_rng(82), most=10
    )
    check = cross_check(embeddings, infants, range(len(infants)))
    assert check.auc == pytest.approx(0.5, abs=0.1)
    assert check.recall[0] == pytest.approx(check.false_positives[0], abs=0.06)


def test_infants_with_few_recordings_cannot_be_checked():
    embeddings, infants = Nursery(3).recordings(60, np.random.default_rng(83), most=3)
    with pytest.raises(WardError, match="nothing can be checked"):
        cross_check(embeddings, infants, range(len(infants)))
