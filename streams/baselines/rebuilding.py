"""Which baselines need to be made anew from their cries, and what that would come to."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from models.deviation.summary import Summary
from streams.baselines.asking import broker_errors, partition_of, read_rows
from streams.baselines.history import read_histories
from streams.baselines.judging import Baselines, Entry
from streams.records.cry_embedding import CryEmbedding
from streams.records.stored_baseline import StoredBaseline
from streams.settings import Settings


class Need(StrEnum):
    """Why a baseline is to be made anew."""

    NONE = "as it should be"
    NO_ROW = "it has cries and no baseline"
    OTHER_RULES = "made by other rules or models"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An infant with cries or a baseline.

    Attributes:
        infant: who.
        need: why its baseline is to be made anew.
        kept: how many of its cries are on the log.
        foreign: how many of those another embedder made, and so are left out.
        heard: how many cries a baseline made anew would hear; None where that was not asked.
        summary: what it would then be; None where that was not asked.
    """

    infant: str
    need: Need
    kept: int
    foreign: int
    heard: int | None = None
    summary: Summary | None = None


async def survey(
    settings: Settings,
    baselines: Baselines,
    infants: Collection[str] = (),
    *,
    replayed: Callable[[Need], bool] = lambda need: False,
    on_read: Callable[[float], None] = lambda partitions: None,
) -> list[Candidate]:
    """Look at the baselines and logs of some infants, or of all.

    Args:
        settings: where the broker is.
        baselines: today's rules and ward.
        infants: which; empty for all.
        replayed: for which to find out what a rebuild would come to.
        on_read: called with how many partitions were read so far, and parts of one.

    Raises:
        BrokerError: the broker cannot be asked.
    """
    found = []
    for done, partition in enumerate(partitions_of(settings, infants)):

        def on_share(share: float, done: int = done) -> None:
            on_read(done + share)

        rows = await read_rows(settings, [partition])
        with broker_errors(settings):
            histories = await read_histories(settings, partition, on_read=on_share)
        logs = {key.decode(): log for key, log in histories.items()}
        for infant in sorted(rows.keys() | logs.keys()):
            if not infants or infant in infants:
                row, log = rows.get(infant), logs.get(infant, [])
                found.append(_candidate(baselines, infant, row, log, replayed))
        on_read(done + 1)
    return found


def partitions_of(settings: Settings, infants: Collection[str]) -> list[int]:
    """Where the logs of some infants lie, or of all where none is named."""
    named = {partition_of(infant, settings.partitions) for infant in infants}
    return sorted(named) if infants else list(range(settings.partitions))


def _candidate(
    baselines: Baselines,
    infant: str,
    row: StoredBaseline | None,
    log: list[Entry],
    replayed: Callable[[Need], bool],
) -> Candidate:
    kept = sum(isinstance(entry, CryEmbedding) for entry in log)
    need = Need.NONE
    if row is None and kept:
        need = Need.NO_ROW
    elif row is not None and baselines.summary(infant, row) is None:
        need = Need.OTHER_RULES
    found = Candidate(infant, need, kept, baselines.foreign(log))
    if not replayed(need):
        return found
    after = baselines.replay(log, row.pause if row else None)
    return replace(found, heard=after.heard, summary=baselines.summary(infant, after))
