"""The whole way of a sound on real brokers, with the worker killed in the middle."""

import asyncio
import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.corpora.manifest import Recording, corpus_folder, read_manifest
from models.synthesis.ward import SAMPLE_RATE_HZ, SimulatedWard
from streams.app import Models
from streams.errors import RefusedMessage
from streams.hearing.arrival import decode_arrival
from streams.kafka.topics import AUDIO_CHUNKS, CRY_EMBEDDINGS, DEAD_LETTERS
from streams.offline import OfflineScorer
from streams.play import Publisher
from streams.records.admission import Admission
from streams.records.cry_embedding import CryEmbedding
from streams.records.dead_letter import MAX_SOUND_BYTES
from streams.records.place import Place
from streams.sources.files import FileSource
from tests.streams.loudness import arrival
from tests.streams.test_fuzz import MESSAGES, mutated_messages
from tests.system.pipeline import Pipeline, Published

pytestmark = pytest.mark.system

PLAY_SECONDS = 420
TOLERANCE = 1e-5
MESSAGES_AT_ONCE = 250
# Past the session timeout: the broker needs a moment to notice.
FROZEN_SECONDS = 3


@pytest.fixture
def pipeline(broker, tmp_path) -> Pipeline:
    return Pipeline(broker, tmp_path)


def simulated_recordings(folder: Path, count: int, seconds: int) -> list[Path]:
    """Wav files of the cots of a simulated ward: made here, so that no corpus is needed."""
    folder.mkdir()
    ward = SimulatedWard(monitors=count, seed=3, cry_fraction=0.35)
    pieces: list[list] = [[] for _ in range(count)]
    for _, second in zip(range(seconds), ward, strict=False):
        for cot, (waveform, _) in enumerate(second):
            pieces[cot].append(waveform)
    paths = []
    for number, waveforms in enumerate(pieces):
        paths.append(folder / f"cot-{number}.wav")
        soundfile.write(paths[-1], np.concatenate(waveforms), SAMPLE_RATE_HZ, subtype="PCM_16")
    return paths


@dataclass(frozen=True)
class Offline:
    """What one recording gives without a broker: that is what the stream must give."""

    scores: list[float]
    segments: set[tuple[int, int]]
    """When each begins, in ms from the recording's beginning, and how many seconds it has."""


def heard_offline(pipeline: Pipeline, paths: list[Path]) -> dict[str, Offline]:
    """What `vagitus score` finds in each recording, by the monitor that will play it."""
    monitors = {files[0]: name for name, files in FileSource(paths, 0).monitors.items()}
    scorer = OfflineScorer(Models.load(pipeline.settings).detector, pipeline.settings)
    return {
        monitors[path]: Offline(
            scorer.scores(path),
            {(s.started_at_ms, s.seconds) for s in scorer.segments(path, 0, "someone")},
        )
        for path in paths
    }


def seconds_of(offline: dict[str, Offline]) -> int:
    return sum(len(recording.scores) for recording in offline.values())


def play_and_kill(
    pipeline: Pipeline, paths: list[Path], offline: dict[str, Offline], speed: float
) -> Published:
    """Play while one worker is killed in the middle and another goes on; returns what is there."""
    with pipeline.worker() as first:
        player = start_playing(pipeline, paths, speed)
        enough = seconds_of(offline) // 4
        found = pipeline.wait_for(lambda f: len(f.scores) >= enough, PLAY_SECONDS, first)
        first.kill()  # SIGKILL: no chance to say good-bye
        first.wait()
        assert len(found.scores) < 4 * enough, "all was scored before the worker was killed"
    with pipeline.worker() as second:
        assert player.wait(PLAY_SECONDS) == 0, pipeline.logs()
        return wait_until_complete(pipeline, offline, second)


def play_and_freeze(
    pipeline: Pipeline, paths: list[Path], offline: dict[str, Offline], speed: float
) -> Published:
    """Play while the worker freezes for longer than its session, twice; returns what is there."""
    with pipeline.worker() as worker:
        player = start_playing(pipeline, paths, speed)
        for share in (0.2, 0.4):
            enough = int(share * seconds_of(offline))
            pipeline.wait_for(lambda f, n=enough: len(f.scores) >= n, PLAY_SECONDS, worker)
            worker.send_signal(signal.SIGSTOP)
            time.sleep(pipeline.settings.session_timeout_seconds + FROZEN_SECONDS)
            worker.send_signal(signal.SIGCONT)
        assert player.wait(PLAY_SECONDS) == 0, pipeline.logs()
        return wait_until_complete(pipeline, offline, worker)


def start_playing(pipeline: Pipeline, paths: list[Path], speed: float) -> subprocess.Popen:
    return pipeline.start(
        "play", *map(str, paths), "--speed", str(speed), "--codec", "flac", "--quiet"
    )


def wait_until_complete(
    pipeline: Pipeline, offline: dict[str, Offline], worker: subprocess.Popen
) -> Published:
    """Wait until every second has its score and every cry has gone the whole way."""
    # The last cries close only once their monitors have fallen silent.
    cries = sum(len(recording.segments) for recording in offline.values())

    def complete(found: Published) -> bool:
        scores = {(score.monitor, score.captured_at_ms) for score in found.scores}
        segments = {segment.id for segment in found.segments}
        said = {deviation.segment_id for deviation in found.deviations}
        return (
            len(scores) >= seconds_of(offline)
            and len(segments) >= cries
            and segments == set(found.embedding_ids) == said
        )

    return pipeline.wait_for(complete, PLAY_SECONDS, worker)


def compare(offline: dict[str, Offline], found: Published) -> None:
    """Every recording has the scores and the segments that it has offline."""
    scores: dict[str, dict[int, float]] = {}
    for score in found.scores:
        scores.setdefault(score.monitor, {})[score.captured_at_ms] = score.score
    segments: dict[str, set[tuple[int, int]]] = {}
    first_ms = {monitor: min(seconds) for monitor, seconds in scores.items()}
    for segment in found.segments:
        start = segment.started_at_ms - first_ms[segment.place.monitor]
        segments.setdefault(segment.place.monitor, set()).add((start, segment.seconds))
    for monitor, recording in offline.items():
        streamed = [score for _, score in sorted(scores[monitor].items())]
        assert streamed == pytest.approx(recording.scores, abs=TOLERANCE), monitor
        assert segments.get(monitor, set()) == recording.segments, monitor


def check_counts(found: Published, chunks: int) -> None:
    """Nothing is lost, and nothing reaches the timeline twice."""
    print(f"\nchunks {chunks}, {found.counts()}")
    assert len({(score.monitor, score.captured_at_ms) for score in found.scores}) == chunks
    said_twice = [
        segment for segment, n in Counter(d.segment_id for d in found.deviations).items() if n > 1
    ]
    assert said_twice == []
    assert {s.id for s in found.segments} == {d.segment_id for d in found.deviations}
    assert {s.id for s in found.segments} == set(found.embedding_ids)
    by_id: dict[str, set[bytes]] = {}
    for segment in found.segments:
        by_id.setdefault(segment.id, set()).add(segment.flac)
    assert all(len(versions) == 1 for versions in by_id.values())
    assert found.dead_letters == []


@pytest.mark.parametrize("play", [play_and_kill, play_and_freeze])
def test_a_killed_or_frozen_worker_loses_nothing_and_doubles_nothing(pipeline, tmp_path, play):
    paths = simulated_recordings(tmp_path / "sound", count=12, seconds=60)
    monitors = FileSource(paths, 0).monitors
    pipeline.admit([Admission(m, f"infant-{m}", "nicu", m, 0) for m in monitors])
    offline = heard_offline(pipeline, paths)
    found = play(pipeline, paths, offline, speed=4)
    check_counts(found, chunks=12 * 60)
    assert len(found.segments) > 12
    compare(offline, found)
    learned = {d.infant: d.baseline_segments for d in sorted(found.deviations, key=by_time)}
    accepted = Counter(d.infant for d in found.deviations if d.gate == "accepted")
    assert learned == {infant: accepted[infant] for infant in learned}


def by_time(deviation) -> int:
    return deviation.started_at_ms


def test_the_test_split_of_the_corpus_scores_the_same_through_kafka(pipeline, tmp_path):
    recordings = corpus_recordings("test")
    paths = [recording.path for recording in recordings]
    monitors = FileSource(paths, 0).monitors
    infants = {recording.path: recording.infant for recording in recordings}
    pipeline.admit(
        [
            Admission(monitor, infants[files[0]], "corpus", "cot", 0)
            for monitor, files in monitors.items()
            if infants[files[0]]
        ]
    )
    offline = heard_offline(pipeline, paths)
    # Most recordings last seven seconds.
    found = play_and_kill(pipeline, paths, offline, speed=0.4)
    check_counts(found, chunks=seconds_of(offline))
    compare(offline, found)


def corpus_recordings(split: str) -> list[Recording]:
    if not os.environ.get("VAGITUS_DATA"):
        if os.environ.get("CI") == "true":
            pytest.fail("VAGITUS_DATA is not set: CI has the corpus", pytrace=False)
        pytest.skip("VAGITUS_DATA is not set")
    return [r for r in read_manifest(corpus_folder()) if r.split == split]


def test_ten_thousand_mutated_messages_do_not_stop_the_stream(pipeline):
    now_ms = int(time.time() * 1000)
    # aiokafka refuses to send a message that has neither key nor value.
    messages = [m for m in mutated_messages(MESSAGES, seed=1) if m[:2] != (None, None)]

    async def send(messages: list) -> None:
        async with Publisher(pipeline.settings) as publisher:
            for key, value, headers in messages:
                await publisher.send(AUDIO_CHUNKS, key, value, headers)

    async def send_sound() -> None:
        async with Publisher(pipeline.settings) as publisher:
            for second in range(10):
                await publisher.chunk(arrival("sound", second, 0.1, 0).chunk)

    refused = 0
    with pipeline.worker() as worker:
        # The embedded broker drops what its worker has not read in time: see PARTITIONS.
        for batch in batched(messages, MESSAGES_AT_ONCE):
            asyncio.run(send(batch))
            refused += sum(is_refused(*message, now_ms) for message in batch)
            deadline = time.monotonic() + PLAY_SECONDS
            while pipeline.count(DEAD_LETTERS) < refused:
                assert worker.poll() is None, pipeline.logs()
                assert time.monotonic() < deadline, pipeline.logs()
                time.sleep(0.1)
        asyncio.run(send_sound())
        found = pipeline.wait_for(lambda f: len(heard(f)) == 10, PLAY_SECONDS, worker)
    print(f"\n{len(messages)} mutated messages, {refused} of them refused")
    assert pipeline.count(DEAD_LETTERS) == refused
    reasons = {dict(letter.headers)["reason"] for letter in found.dead_letters}
    assert len(reasons) >= 5, reasons
    assert max(len(letter.value or b"") for letter in found.dead_letters) <= MAX_SOUND_BYTES


def heard(found: Published) -> list:
    return [score for score in found.scores if score.monitor == "sound"]


def batched(items: list, size: int) -> list[list]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def is_refused(key, value, headers, now_ms: int) -> bool:
    try:
        decode_arrival(key, value, headers, partition=0, offset=0, now_ms=now_ms)
    except RefusedMessage:
        return True
    return False


def test_what_was_said_before_a_kill_is_learned_but_not_said_again(pipeline):
    place = Place(monitor="m", infant="i", ward="nicu", bed="1")
    rng = np.random.default_rng(1)
    now_ms = int(time.time() * 1000)

    def send(*numbers: int) -> None:
        async def embeddings() -> None:
            async with Publisher(pipeline.settings) as publisher:
                for number in numbers:
                    vector = rng.normal(size=192).astype(np.float32)
                    vector /= np.linalg.norm(vector)
                    cry = CryEmbedding(
                        f"cry-{number}", place, now_ms + number, 2.0, 0.9, -20, None, 0, "v", vector
                    )
                    await publisher.send(CRY_EMBEDDINGS, *cry.encode())

        asyncio.run(embeddings())

    def said(count: int):
        return lambda found: len(found.deviations) >= count

    send(1, 2, 3)
    with pipeline.worker() as first:
        pipeline.wait_for(said(3), PLAY_SECONDS, first)
    # Its deviations are there, its baselines and commits are not: as if killed between the two.
    pipeline.forget_worker()
    send(4)
    with pipeline.worker() as second:
        found = pipeline.wait_for(said(4), PLAY_SECONDS, second)
    assert sorted(d.segment_id for d in found.deviations) == ["cry-1", "cry-2", "cry-3", "cry-4"]
    accepted = sum(d.gate == "accepted" for d in found.deviations)
    assert max(d.baseline_segments for d in found.deviations) == accepted
