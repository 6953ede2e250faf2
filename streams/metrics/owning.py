"""Tells the metrics which partitions are this worker's, as Faust takes and gives them away.

Every rebalance takes all partitions of all workers, before any of them gets new ones. So what
leaves here on revocation is shown by nobody for the time of the hand-over, and never by two.
"""

from collections.abc import Collection

import faust
from faust.types import TP

from streams.kafka.membership import Membership
from streams.kafka.topics import AUDIO_CHUNKS, CRY_EMBEDDINGS, Topic
from streams.metrics.shown import Metrics, Share
from streams.settings import Settings


def follow_ownership(
    app: faust.App, baselines: faust.Table, metrics: Metrics, settings: Settings
) -> None:
    """Keep what the metrics show to the partitions of this worker.

    Sound is owned from the assignment on: that nobody hears it then is to be seen. Of a baseline
    there is something to say only when the table is here.
    """
    assigned: set[TP] = set()
    membership = Membership(settings.session_timeout_seconds)
    for share in (Share.SOUND, Share.BASELINES):
        metrics.trust(share, membership)

    def of(topic: Topic) -> set[int]:
        return {tp.partition for tp in assigned if tp.topic == topic.name(settings)}

    async def take(app: faust.App, tps: Collection[TP], **_: object) -> None:
        assigned.update(tps)
        membership.follow(app.consumer._thread._consumer)
        metrics.own(Share.SOUND, of(AUDIO_CHUNKS))

    async def leave(app: faust.App, tps: Collection[TP] = (), **_: object) -> None:
        assigned.clear()
        for share in (Share.SOUND, Share.BASELINES):
            metrics.own(share, ())

    async def recovered() -> None:
        # Not only what is new: rows may have come that were not there the last time.
        metrics.own(Share.BASELINES, ())
        metrics.own(Share.BASELINES, of(CRY_EMBEDDINGS))

    app.on_partitions_assigned.connect(take)
    app.on_partitions_revoked.connect(leave)
    app.on_before_shutdown.connect(leave)
    baselines.on_recover(recovered)
