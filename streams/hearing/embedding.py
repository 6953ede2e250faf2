"""From a segment to its embedding: what the embed agent does, without a broker."""

import numpy as np

from models.identity.runtime import CryEmbedder
from streams.errors import Refusal, RefusedMessage
from streams.records.cry_embedding import CryEmbedding
from streams.records.cry_segment import CrySegment


def embed_segment(embedder: CryEmbedder, segment: CrySegment) -> CryEmbedding:
    """Embed one cry; raises RefusedMessage if its sound cannot be."""
    waveform = segment.waveform()
    try:
        embedding = embedder.embed(waveform, segment.sample_rate_hz)
    except ValueError as error:
        raise RefusedMessage(Refusal.PROCESSING, f"segment {segment.id}: {error}") from None
    return CryEmbedding(
        segment_id=segment.id,
        place=segment.place,
        started_at_ms=segment.started_at_ms,
        seconds=float(segment.seconds),
        cry_score=float(np.mean(segment.scores)),
        level_dbfs=segment.level_dbfs,
        noise_dbfs=segment.noise_dbfs,
        clipped_fraction=segment.clipped_fraction,
        embedder_version=embedder.version,
        embedding=embedding,
    )
