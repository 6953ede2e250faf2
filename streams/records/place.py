"""Whose sound it is and where it was heard: carried by every record after the scores."""

from dataclasses import dataclass

from streams.records.cloudevent import CloudEvent

UNASSIGNED = "unassigned"


@dataclass(frozen=True, slots=True)
class Place:
    """A monitor and, where it is admitted, its infant.

    Attributes:
        monitor: the monitor's name.
        infant: the infant's pseudonym; empty where the monitor has no admission.
        ward: where it stands; empty where it has no admission.
        bed: where it stands; empty where it has no admission.
    """

    monitor: str
    infant: str = ""
    ward: str = ""
    bed: str = ""

    @property
    def assigned(self) -> bool:
        """Whether an infant is admitted at this monitor."""
        return bool(self.infant)

    @property
    def key(self) -> bytes:
        """The Kafka key: the infant, so that all its cries are in one partition, in order."""
        return (self.infant or f"{UNASSIGNED}:{self.monitor}").encode()

    def extensions(self) -> dict[str, str]:
        """The place as CloudEvents extensions."""
        named = {"infant": self.infant, "ward": self.ward, "bed": self.bed}
        return {name: value for name, value in named.items() if value}

    @classmethod
    def from_event(cls, event: CloudEvent) -> "Place":
        """Read a place back from an event whose source is the monitor."""
        named = {name: event.extensions.get(name, "") for name in ("infant", "ward", "bed")}
        return cls(monitor=event.source, **named)
