"""Puts settings, topics, agents, tables and metrics together into one Faust app."""

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import faust
from faust.sensors.prometheus import FaustMetrics, PrometheusMonitor
from faust.types.auth import CredentialsT
from prometheus_client import CollectorRegistry

from models.detector.runtime import CryDetector
from models.deviation.ward import WardModel
from models.identity.runtime import CryEmbedder
from streams.admissions import AdmissionsReader
from streams.agents.alerts import AlertsAgent
from streams.agents.deviate import DeviateAgent
from streams.agents.embed import EmbedAgent
from streams.agents.quiet import QuietAgent
from streams.agents.score import SWEEP_SECONDS, ScoreAgent
from streams.agents.sending import Sender
from streams.agents.timeline import TimelineAgent
from streams.alerting.alertmanager import Alertmanager
from streams.alerting.metrics import AlertMetrics
from streams.alerting.silences import Silences
from streams.baselines.judging import Baselines
from streams.errors import ModelError, SettingsError
from streams.hearing.scoring import Scorer
from streams.hearing.segments import SegmentRules
from streams.kafka.broker_certificates import show_broker_certificates
from streams.kafka.connection import connection, show_expiry
from streams.kafka.consumer import transport_class
from streams.kafka.offsets import HeldOffsets
from streams.kafka.topics import (
    AUDIO_CHUNKS,
    BASELINES_TABLE,
    CRY_EMBEDDINGS,
    CRY_SEGMENTS,
    MARKS_TABLE,
    Topic,
)
from streams.metrics.owning import follow_ownership
from streams.metrics.shown import Metrics
from streams.settings import Settings
from streams.timeline.store import TimelineStore, timeline_url

# A third of the session timeout, as Kafka's documentation advises for heartbeats.
HEARTBEATS_PER_SESSION = 3


@dataclass(frozen=True, slots=True)
class Models:
    """What the agents call."""

    detector: CryDetector
    embedder: CryEmbedder
    ward: WardModel

    @classmethod
    def load(cls, settings: Settings) -> "Models":
        """Load the shipped models, or those of `weights_dir`; raises ModelError."""
        folder, threads = settings.weights_dir, settings.inference_threads
        where = folder or "the installed package"
        try:
            models = cls(
                detector=CryDetector(folder, threads=threads),
                embedder=CryEmbedder(folder and folder / "cry-embedder.onnx", threads=threads),
                ward=WardModel.load(folder and folder / "ward.safetensors"),
            )
        except Exception as error:
            raise ModelError(f"The models in {where} cannot be loaded: {error}") from error
        fitted_to, embedder = models.ward.embedder_version, models.embedder.version
        if fitted_to != embedder:
            raise ModelError(
                f"The ward model in {where} was fitted to embeddings of "
                f"{fitted_to or 'an unnamed embedder'}, not of the {embedder} beside it: fit it "
                "again with `vagitus-train ward`, or take two that belong together."
            )
        return models


def segment_rules(settings: Settings) -> SegmentRules:
    """The rules of the segmenter as they are set."""
    return SegmentRules(
        onset_score=settings.onset_score,
        offset_score=settings.offset_score,
        hangover_seconds=settings.hangover_seconds,
        minimum_seconds=settings.minimum_segment_seconds,
        sure_score=settings.sure_score,
    )


def build_app(settings: Settings, models: Models, registry: CollectorRegistry) -> faust.App:
    """The whole worker: five agents, two tables, one registry.

    Raises:
        TimelineError: the timeline's store is named by what cannot be one.
    """
    metrics = Metrics(registry, settings.partitions)
    held = HeldOffsets()
    metrics.last_received.set_function(lambda: held.received_at)
    metrics.last_commit.set_function(lambda: held.committed_at)
    app = _bare_app(settings, held)
    app.monitor = PrometheusMonitor(metrics=FaustMetrics.create(registry, "vagitus_faust"))
    sender = Sender(app, settings, metrics, held)
    reader = AdmissionsReader(settings, metrics.admit, metrics.discharge)
    scorer = Scorer(
        models.detector, segment_rules(settings), reader.admissions, settings.silent_after_seconds
    )
    metrics.heard_of = scorer.heard_ms
    score = ScoreAgent(
        scorer, _table(app, settings, MARKS_TABLE), sender, reader, held, metrics, settings
    )
    embed = EmbedAgent(models.embedder, sender, metrics)
    baselines = _table(app, settings, BASELINES_TABLE)
    deviate = DeviateAgent(Baselines(models.ward), baselines, sender, metrics, settings)
    metrics.baseline_of = deviate.figures
    follow_ownership(app, baselines, metrics, settings)
    timeline = TimelineAgent(TimelineStore(timeline_url(settings)), sender, metrics, settings)
    alertmanager = Alertmanager(settings.alertmanager_url) if settings.alertmanager_url else None
    alert_metrics = AlertMetrics(registry)
    show_expiry(alert_metrics.certificate_expiry, settings)
    alerts = AlertsAgent(alertmanager, reader, metrics, alert_metrics, settings)
    app.agent(_topic(app, settings, AUDIO_CHUNKS), name="score")(score.run)
    app.agent(_topic(app, settings, CRY_SEGMENTS), name="embed")(embed.run)
    app.agent(_topic(app, settings, CRY_EMBEDDINGS), name="deviate")(deviate.run)
    app.timer(SWEEP_SECONDS, name="sweep")(score.sweep)

    @app.task
    async def follow_admissions() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await reader.run()

    @app.task
    async def write_timeline() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await timeline.run()

    @app.task
    async def alert() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await alerts.run()

    @app.task
    async def look_at_certificates() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await show_broker_certificates(alert_metrics.certificate_expiry, settings)

    if settings.alertmanager_url:
        quiet = QuietAgent(Silences(settings.alertmanager_url), metrics, settings)

        @app.task
        async def keep_quiet() -> None:
            with contextlib.suppress(asyncio.CancelledError):
                await quiet.run()

    return app


def make_state_dir(folder: Path) -> None:
    """Make it with all above it (Faust makes only the last one), and see that it can be used now,
    not with the first cry; raises SettingsError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        why = "" if os.access(folder, os.W_OK) else "nothing can be written there"
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise SettingsError(f"VAGITUS_STATE_DIR: {folder} cannot be used: {why}.")


def _bare_app(settings: Settings, held: HeldOffsets) -> faust.App:
    make_state_dir(settings.state_dir)
    app = faust.App(
        settings.app_id,
        broker=f"kafka://{settings.broker}",
        broker_credentials=_credentials(settings),
        datadir=str(settings.state_dir / settings.app_id),
        store="memory://",
        autodiscover=False,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication,
        # Topics and changelogs are made by `vagitus topics create`: agents would make them
        # with the broker's default partition count.
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / HEARTBEATS_PER_SESSION,
        broker_commit_interval=settings.commit_interval_seconds,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=True,
        producer_acks=-1,
        producer_max_request_size=2_000_000,
        producer_linger=0.005,
        # Faust's web server would show tables and topology; /metrics has a server of its own.
        web_enabled=False,
        web_bind="127.0.0.1",
        web_tables_enabled=False,
        web_router_enabled=False,
    )
    transport = transport_class(held, settings)
    app.transport = transport(app.conf.broker_consumer, app, app.loop)
    return app


def _credentials(settings: Settings) -> CredentialsT | None:
    """What `connection` gives aiokafka's own clients, as Faust has it."""
    options = connection(settings)
    context = options.get("ssl_context")
    if "sasl_mechanism" in options:
        return faust.SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context else None


def _topic(app: faust.App, settings: Settings, topic: Topic) -> faust.Topic:
    return app.topic(
        topic.name(settings),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
        partitions=settings.partitions,
    )


def _table(app: faust.App, settings: Settings, name: str) -> faust.Table:
    # For bytes Faust takes the raw codec: neither JSON nor, ever, pickle.
    return app.Table(name, partitions=settings.partitions, key_type=bytes, value_type=bytes)
