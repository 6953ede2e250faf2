"""The simulated ward that compose offers: its infants are admitted, its seconds arrive."""

import asyncio

import pytest

from deploy.compose.ward import run
from streams.admissions import read_admissions
from streams.topics import AUDIO_CHUNKS
from tests.system.pipeline import Pipeline

pytestmark = pytest.mark.system


def test_the_simulated_ward_is_admitted_and_heard(embedded_broker, tmp_path, monkeypatch):
    pipeline = Pipeline(embedded_broker, tmp_path)
    for name, value in pipeline.environment.items():
        monkeypatch.setenv(name, value)
    assert asyncio.run(run(monitors=2, seed=0, seconds=2)) == 4
    assert pipeline.count(AUDIO_CHUNKS) == 4
    admitted = asyncio.run(read_admissions(pipeline.settings))
    assert len({admission.infant for admission in admitted.values()}) == 2
