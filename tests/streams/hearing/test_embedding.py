"""A cry segment becomes an embedding that says where it comes from."""

from dataclasses import replace

import numpy as np
import pytest

from models.identity.runtime import CryEmbedder
from streams.errors import Refusal, RefusedMessage
from streams.hearing.embedding import embed_segment
from tests.streams.ward import PLACE, RATE_HZ, START_MS, cry_sound, segment


@pytest.fixture(scope="module")
def embedder() -> CryEmbedder:
    return CryEmbedder()


def test_an_embedding_is_of_the_segments_sound_and_keeps_what_is_known_of_it(embedder):
    cry = segment(cry_sound(seconds=2.0))
    embedded = embed_segment(embedder, cry)
    expected = embedder.embed(cry.waveform(), RATE_HZ)
    np.testing.assert_array_equal(embedded.embedding, expected)
    assert (embedded.segment_id, embedded.place, embedded.started_at_ms) == (
        "mon-1@2023-11-14T22:13:20.000Z",
        PLACE,
        START_MS,
    )
    assert (embedded.seconds, embedded.cry_score) == (2.0, pytest.approx(0.9))
    assert (embedded.level_dbfs, embedded.noise_dbfs, embedded.clipped_fraction) == (-20, -50, 0)
    assert embedded.embedder_version == embedder.version


def test_an_embedding_has_unit_length_whatever_the_loudness(embedder):
    sound = cry_sound(seconds=2.0)
    loud, soft = (embed_segment(embedder, segment(g * sound)).embedding for g in (1.0, 0.2))
    assert (loud.dtype, loud.shape) == (np.float32, (192,))
    assert np.linalg.norm(loud) == pytest.approx(1.0, abs=1e-5)
    assert loud @ soft > 0.99


def test_a_cry_too_short_to_embed_is_refused_by_name(embedder):
    with pytest.raises(RefusedMessage, match=r"mon-1@2023.*too short") as refusal:
        embed_segment(embedder, segment(cry_sound(seconds=0.4)))
    assert refusal.value.refusal is Refusal.PROCESSING


def test_a_segment_whose_sound_is_unreadable_is_refused(embedder):
    with pytest.raises(RefusedMessage):
        embed_segment(embedder, replace(segment(cry_sound()), flac=b"no sound"))
