"""A worker ends when it is told to, whatever has become of its broker."""

import time

import pytest

from streams.broker import EmbeddedBroker
from streams.worker import STOP_SECONDS
from tests.system.brokers import EmbeddedKafka
from tests.system.pipeline import SESSION_SECONDS, Pipeline

pytestmark = pytest.mark.system


def test_a_worker_whose_broker_is_gone_ends_all_the_same(tmp_path):
    with EmbeddedBroker() as running:
        pipeline = Pipeline(EmbeddedKafka(running), tmp_path)
        process = pipeline.start("worker", "--metrics-port", "0", "--log-level", "INFO")
        try:
            pipeline.wait_for_log("Resuming flow", process)
        except BaseException:
            process.kill()
            raise
    time.sleep(SESSION_SECONDS + 2)  # it has noticed, and tries again and again
    process.terminate()
    try:
        process.wait(STOP_SECONDS + 30)  # raises if it still runs
    finally:
        process.kill()
    print(f"exit status {process.returncode}")
