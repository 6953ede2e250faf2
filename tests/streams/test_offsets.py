"""A commit never passes what is still needed."""

from streams.offsets import HeldOffsets, Progress


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
