"""`vagitus health` beside a real worker: while it works, while it is frozen, once it is gone."""

import signal
import socket
import time

import pytest

from tests.streams.ward import record_cry
from tests.system.pipeline import START_SECONDS, STOP_SECONDS, Pipeline

pytestmark = pytest.mark.system


@pytest.fixture
def pipeline(embedded_broker, tmp_path) -> Pipeline:
    pipeline = Pipeline(embedded_broker, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        pipeline.environment["VAGITUS_METRICS_PORT"] = str(probe.getsockname()[1])
    return pipeline


def said(pipeline: Pipeline, *options: str) -> tuple[int, str]:
    done = pipeline.run("health", *options)
    return done.returncode, done.stdout + done.stderr


def test_a_worker_is_well_while_it_works_and_not_when_it_is_frozen_or_gone(pipeline, tmp_path):
    assert said(pipeline)[0] == 1
    process = pipeline.start("worker", "--log-level", "WARNING")
    try:
        deadline = time.monotonic() + START_SECONDS
        while (answer := said(pipeline, "--ready"))[0] != 0:
            assert process.poll() is None and time.monotonic() < deadline, pipeline.logs()
            assert "does not answer" in answer[1] or "owns no partition" in answer[1]
        pipeline.run("play", str(record_cry(tmp_path / "cry.wav")), "--speed", "max")
        pipeline.wait_for(lambda found: found.scores, START_SECONDS, process)
        assert said(pipeline, "--ready") == (0, "The worker makes progress.\n")
        process.send_signal(signal.SIGSTOP)
        status, sentence = said(pipeline)
        assert (status, "timed out" in sentence) == (1, True)
        process.send_signal(signal.SIGCONT)
        assert said(pipeline)[0] == 0
        process.terminate()
        process.wait(STOP_SECONDS)
        assert "does not answer" in said(pipeline)[1]
    finally:
        process.kill()
        process.wait()
