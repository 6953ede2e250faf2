"""The stream's own functions without a broker: score, embed and replay recordings.

The sound goes the same way as through Kafka: into chunks, encoded, decoded, scored. So a score
that is read from a file is the score that the stream would give.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.detector.runtime import CryDetector
from models.deviation.baseline import State
from streams.admissions import Admissions
from streams.app import Models, segment_rules
from streams.baselines.judging import Baselines
from streams.errors import RefusedMessage, SourceError
from streams.hearing.arrival import Arrival
from streams.hearing.embedding import embed_segment
from streams.hearing.scoring import Scored, Scorer
from streams.records.admission import Admission
from streams.records.cry_segment import CrySegment
from streams.records.deviation import DeviationRecord
from streams.records.stored_baseline import StoredBaseline
from streams.settings import Settings
from streams.sources.files import FileSource

MONITOR = "offline"
# As the stream would: bounded, so that an hour of sound does not become one call.
BATCH_SECONDS = 64


class OfflineScorer:
    """Scores one recording after the other."""

    def __init__(self, detector: CryDetector, settings: Settings) -> None:
        self._detector = detector
        self._rules = segment_rules(settings)

    def scores(self, path: Path) -> list[float]:
        """The score of each second of a recording, 0..1; raises SourceError."""
        scored, _ = self._hear(path, 0, Admissions())
        return scored

    def segments(self, path: Path, started_at_ms: int, infant: str) -> list[CrySegment]:
        """The cry segments of a recording of one infant; raises SourceError."""
        admission = Admission(MONITOR, infant, MONITOR, MONITOR, 0)
        return self._hear(path, started_at_ms, Admissions([admission]))[1]

    def _hear(
        self, path: Path, start_ms: int, admissions: Admissions
    ) -> tuple[list[float], list[CrySegment]]:
        scorer = Scorer(self._detector, self._rules, admissions, silent_after_seconds=0)
        scorer.take_over(0, published=0)
        source = FileSource([path], start_ms=start_ms, monitor=MONITOR)
        arrivals: list[Arrival] = []
        results: list[Scored] = []
        for offset, chunk in enumerate(source.chunks()):
            try:
                arrivals.append(Arrival(chunk, chunk.waveform(), 0, offset))
            except RefusedMessage as error:
                raise SourceError(f"{path} cannot be scored: {error}") from None
            if len(arrivals) == BATCH_SECONDS:
                results.append(scorer.score(arrivals))
                arrivals = []
        results += [scorer.score(arrivals), scorer.sweep()]
        scores = [s.score for result in results for s in result.scores.get(0, [])]
        return scores, [segment for result in results for _, segment in result.segments]


def embed_recording(scorer: OfflineScorer, models: Models, path: Path) -> NDArray[np.float32]:
    """One embedding for a recording: float32 [192], the normalized mean of its cry segments.

    A recording without a cry is embedded whole. Raises SourceError.
    """
    embeddings = [
        embed_segment(models.embedder, segment).embedding
        for segment in scorer.segments(path, 0, MONITOR)
    ]
    if not embeddings:
        source = FileSource([path], start_ms=0, monitor=MONITOR)
        chunks = list(source.chunks())
        waveform = np.concatenate([chunk.waveform() for chunk in chunks])
        return models.embedder.embed(waveform, chunks[0].sample_rate_hz)
    mean = np.mean(embeddings, axis=0)
    return (mean / np.linalg.norm(mean)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One recording of a replay.

    Attributes:
        path: as the manifest names it.
        infant: as the manifest names it.
        recorded_at: as the manifest writes it.
        file: where the recording lies.
        recorded_at_ms: ms since 1970 UTC.
    """

    path: str
    infant: str
    recorded_at: str
    file: Path
    recorded_at_ms: int


def read_manifest(path: Path) -> list[ManifestRow]:
    """The recordings of a CSV file with the columns `path,infant,recorded_at`, in time order.

    Paths are relative to the file. Rows without an infant or a time are passed over: they belong
    to no timeline. A byte order mark, as spreadsheets write one, is no part of the first column.
    Raises SourceError.
    """
    rows = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = {"path", "infant", "recorded_at"} - set(reader.fieldnames or ())
            if missing:
                raise SourceError(f"{path} lacks the column {sorted(missing)[0]!r}.")
            for row in reader:
                if row["infant"] and row["recorded_at"]:
                    if not row["path"]:
                        raise SourceError(f"{path}, line {reader.line_num}: there is no path.")
                    named = (row["path"], row["infant"], row["recorded_at"])
                    moment = _moment(row["recorded_at"], path, reader.line_num)
                    rows.append(ManifestRow(*named, path.parent / row["path"], moment))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path} cannot be read: {error}.") from None
    return sorted(rows, key=lambda row: (row.recorded_at_ms, row.path))


def _moment(text: str, path: Path, line: int) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SourceError(f"{path}, line {line}: {text!r} is not an ISO 8601 time.") from None
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class ReplayedRecording:
    """What one recording said of its infant; the first three as the manifest has them.

    Attributes:
        state: `learning` or `ready`: the baseline's, at that cry or, without one, as it was left.
        sigma: of its middle cry, by sigma; None without a cry or while too little is known. (Its
            most deviant one would make long recordings look deviant.)
        p_value: of that cry.
        gate: `accepted` if the baseline learned from any of its cries.
        reason: of the first cry that was learned from, else of the middle one.
    """

    path: str
    infant: str
    recorded_at: str
    state: str
    sigma: float | None
    p_value: float | None
    gate: str
    reason: str


def replay(
    rows: Iterable[ManifestRow],
    models: Models,
    settings: Settings,
    keep: Callable[[list[DeviationRecord]], None] = lambda records: None,
) -> Iterator[ReplayedRecording | SourceError]:
    """Run recordings in time order through segmenting, embedding, deviation and gate.

    Args:
        rows: the recordings.
        models: as the stream's.
        settings: as the stream's.
        keep: called with what is said of each recording's cries, under ids that name it.

    Yields one result a recording; a SourceError for one that cannot be read.
    """
    scorer = OfflineScorer(models.detector, settings)
    baselines = Baselines(models.ward)
    stored: dict[str, StoredBaseline] = {}
    states: dict[str, str] = {}
    for row in rows:
        records: list[DeviationRecord] = []
        try:
            for segment in scorer.segments(row.file, row.recorded_at_ms, row.infant):
                embedding = embed_segment(models.embedder, segment)
                before = stored.get(row.infant, StoredBaseline())
                record, stored[row.infant] = baselines.observe(embedding, before)
                records.append(record)
        except SourceError as error:
            yield error
            continue
        except RefusedMessage as error:
            yield SourceError(f"{row.file}: {error}")
            continue
        keep([_named(record, row) for record in records])
        if records:
            states[row.infant] = records[-1].state
        yield _summary(row, records, states.get(row.infant, State.LEARNING))


def _named(record: DeviationRecord, row: ManifestRow) -> DeviationRecord:
    """The record under ids of its own: offline every recording is of one and the same monitor."""
    segment_id = record.segment_id.replace(MONITOR, f"{row.infant}/{row.path}", 1)
    return replace(
        record,
        id=record.id.replace(record.segment_id, segment_id, 1),
        segment_id=segment_id,
        monitor=row.path,
        ward="",
        bed="",
    )


def _summary(row: ManifestRow, records: list[DeviationRecord], state: str) -> ReplayedRecording:
    if not records:
        return ReplayedRecording(
            path=row.path,
            infant=row.infant,
            recorded_at=row.recorded_at,
            state=state,
            sigma=None,
            p_value=None,
            gate="refused",
            reason="no_cry",
        )
    known = [record for record in records if record.sigma is not None]
    ordered = sorted(known or records, key=lambda record: record.sigma or 0.0)
    middle = ordered[(len(ordered) - 1) // 2]
    accepted = [record for record in records if record.gate == "accepted"]
    deciding = accepted[0] if accepted else middle
    return ReplayedRecording(
        path=row.path,
        infant=row.infant,
        recorded_at=row.recorded_at,
        state=middle.state,
        sigma=middle.sigma,
        p_value=middle.p_value,
        gate=deciding.gate,
        reason=deciding.reason,
    )
