"""A commit never passes what is still needed."""

from faust.types import TP

from streams.kafka.offsets import Acknowledged, HeldOffsets, Progress

SEGMENTS = TP("segments", 0)


def test_a_commit_goes_as_far_as_every_record_was_dealt_with():
    acknowledged = Acknowledged()
    acknowledged.begin(SEGMENTS, 10)
    assert acknowledged.committable() == {}
    acknowledged.done(SEGMENTS, [10, 12])
    assert acknowledged.committable() == {SEGMENTS: 11}
    acknowledged.done(SEGMENTS, [11])
    assert acknowledged.committable() == {SEGMENTS: 13}


def test_what_was_committed_is_not_committed_again():
    acknowledged = Acknowledged()
    acknowledged.begin(SEGMENTS, 0)
    acknowledged.done(SEGMENTS, range(5))
    acknowledged.committed({SEGMENTS: 5})
    assert acknowledged.committable() == {}
    acknowledged.done(SEGMENTS, [5, 3])
    assert acknowledged.committable() == {SEGMENTS: 6}


def test_what_comes_again_counts_only_when_it_was_dealt_with_again():
    acknowledged = Acknowledged()
    acknowledged.begin(SEGMENTS, 10)
    acknowledged.done(SEGMENTS, [10, 12, 13])
    assert acknowledged.again(SEGMENTS) == 11
    acknowledged.done(SEGMENTS, [11])
    assert acknowledged.committable() == {SEGMENTS: 12}


def test_a_partition_that_went_or_never_began_commits_nothing():
    acknowledged = Acknowledged()
    acknowledged.done(SEGMENTS, [0])
    assert acknowledged.again(SEGMENTS) is None
    acknowledged.begin(SEGMENTS, 0)
    acknowledged.done(SEGMENTS, [0])
    acknowledged.forget(SEGMENTS)
    acknowledged.done(SEGMENTS, [1])
    acknowledged.committed({SEGMENTS: 1})
    assert acknowledged.committable() == {}


def test_a_commit_stays_at_the_floor_and_remembers_what_was_published():
    held = HeldOffsets()
    held.hold(0, processed=100, floor=90)
    progress = held.progress(0, acknowledged=100)
    assert progress == Progress(floor=90, published=100)
    assert Progress.resume(90, progress.metadata) == progress


def test_a_commit_in_the_middle_of_a_batch_uses_the_floor_from_before_it():
    held = HeldOffsets()
    held.resume(0, Progress(10, 10))
    held.hold(0, processed=50, floor=40)
    held.hold(0, processed=100, floor=95)
    assert held.progress(0, acknowledged=70).floor == 40
    assert held.progress(0, acknowledged=100).floor == 95


def test_what_was_published_never_goes_back_while_chunks_are_read_again():
    held = HeldOffsets()
    held.resume(0, Progress(floor=90, published=100))
    assert held.progress(0, acknowledged=94) == Progress(floor=90, published=100)


def test_a_commit_without_metadata_held_nothing_back():
    for metadata in ("", "published=", "published=x", "something else"):
        assert Progress.resume(7, metadata) == Progress(7, 7)


def test_partitions_that_were_resumed_are_told_once():
    held = HeldOffsets()
    held.resume(3, Progress(1, 2))
    assert held.resumed() == {3: Progress(1, 2)}
    assert held.resumed() == {}


def test_a_partition_that_went_is_told_once_and_holds_nothing():
    held = HeldOffsets()
    held.resume(3, Progress(1, 2))
    assert held.owned == 1
    held.revoke(3)
    assert (held.revoked(), held.revoked(), held.owned, held.resumed()) == ({3}, set(), 0, {})
    held.revoke(3)
    held.resume(3, Progress(1, 2))
    assert held.revoked() == set()


def test_an_acknowledgement_beyond_what_was_held_commits_nothing_more():
    held = HeldOffsets()
    held.resume(0, Progress(floor=10, published=20))
    assert held.progress(0, acknowledged=50) == Progress(floor=10, published=20)
    held.hold(0, processed=30, floor=25)
    assert held.progress(0, acknowledged=50) == Progress(floor=25, published=30)


def test_the_first_chunk_after_a_resumption_is_remembered():
    held = HeldOffsets()
    held.resume(0, Progress(10, 20))
    assert held.first(0) is None
    held.began(0, 12)
    held.began(0, 13)
    assert held.first(0) == 12
    held.resume(0, Progress(10, 20))
    assert held.first(0) is None
