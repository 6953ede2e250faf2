"""Runs one worker process: `faust worker`, with /metrics on a server of its own."""

import logging
import os
import signal
import sys
import threading
from pathlib import Path

import faust
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import start_http_server

from streams.app import Models, build_app
from streams.errors import VagitusError
from streams.settings import Settings

logger = logging.getLogger(__name__)
# Under the half minute that process managers wait before they kill.
STOP_SECONDS = 20.0
STOPPED_IN_THE_MIDDLE = 70  # an exit status of its own
# aiokafka tries a broker that is away, or refuses, many times a second, with each of its clients.
SAY_AGAIN_SECONDS = 60.0


class EndingWorker(faust.Worker):
    """A Faust worker that ends when it is told to or has failed, also while no broker answers.

    Faust waits for its last commit for as long as it takes. What was not committed the next
    worker does again, so that nothing is lost by going.
    """

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        _leave_in_time()
        super()._schedule_shutdown(signal)

    def stop_and_shutdown(self) -> None:
        # After a failure no signal has come.
        _leave_in_time()
        super().stop_and_shutdown()


def _leave_in_time() -> None:
    timer = threading.Timer(STOP_SECONDS, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    logger.error("Still not stopped after %g s: leaving without a last commit.", STOP_SECONDS)
    os._exit(STOPPED_IN_THE_MIDDLE)


class BrokerTrouble(logging.Handler):
    """Says what aiokafka logs as errors, the same sentence once a minute."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._said: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        sentence = record.getMessage()
        if record.created - self._said.get(sentence, -SAY_AGAIN_SECONDS) >= SAY_AGAIN_SECONDS:
            old = [s for s, at in self._said.items() if record.created - at >= SAY_AGAIN_SECONDS]
            for forgotten in old:
                del self._said[forgotten]
            self._said[sentence] = record.created
            logger.error("Kafka: %s", sentence)


def _say_broker_trouble() -> None:
    aiokafka = logging.getLogger("aiokafka")
    # Its debugging shows requests, and so a password that SASL sends.
    aiokafka.setLevel(logging.ERROR)
    aiokafka.propagate = False
    aiokafka.addHandler(BrokerTrouble())


def end_with_stdin() -> None:
    """Ask this process to end, as SIGTERM does, once standard input has ended."""

    def wait() -> None:
        # Not through `sys.stdin`: its lock, held by a thread that waits, aborts the interpreter.
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="until-stdin-ends").start()


def run_worker(settings: Settings, log_level: str, address_file: Path | None = None) -> None:
    """Run until SIGTERM or SIGINT; does not return.

    Args:
        settings: of this worker.
        log_level: e.g. `WARNING`.
        address_file: where to write the address of /metrics, for whoever asked for a free port.

    Raises:
        VagitusError: the models cannot be loaded, or the port is taken.
    """
    models = Models.load(settings)
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    app = build_app(settings, models, registry)
    address = serve_metrics(settings, registry)
    if address_file is not None:
        address_file.write_text(address)
    logger.info("Metrics at %s", address)
    _say_broker_trouble()
    worker = EndingWorker(app, loglevel=log_level, quiet=False, redirect_stdouts=False)
    worker.execute_from_commandline()


def serve_metrics(settings: Settings, registry: CollectorRegistry) -> str:
    """Serve /metrics from a thread, so that a stalled stream still shows; returns the address."""
    try:
        server, _ = start_http_server(
            settings.metrics_port, addr=settings.metrics_host, registry=registry
        )
    except OSError as error:
        raise VagitusError(
            f"/metrics cannot be served at {settings.metrics_host}:{settings.metrics_port} "
            f"({error.strerror}): set VAGITUS_METRICS_PORT."
        ) from None
    return f"http://{settings.metrics_host}:{server.server_port}/metrics"
