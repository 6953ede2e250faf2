"""Every error Vagitus raises on purpose, drawn as a tree.

VagitusError                what a user of the command line may see, as one sentence
├── SettingsError           a setting is unknown or wrong; nothing was started
├── BrokerError             the broker cannot be reached, or refuses
├── ModelError              a model file is missing or unreadable
├── TimelineError           the timeline's store cannot be reached, or has no such infant
├── AlertmanagerError       Alertmanager cannot be reached, or does not take an alert
├── AdtError                an HL7 message, the list of beds or the key of pseudonyms is unusable
├── SourceError             a microphone, file or folder gives no sound
└── RefusedMessage          one message is refused; it goes to the dead letters with its reason
"""

from enum import StrEnum


class Refusal(StrEnum):
    """Why a message was refused: the label of `vagitus_dead_letters_total`, so a bounded set."""

    MISSING_HEADER = "missing_header"
    ABSURD_HEADER = "absurd_header"
    UNKNOWN_CODEC = "unknown_codec"
    UNREADABLE = "unreadable"
    WRONG_LENGTH = "wrong_length"
    OVER_LONG = "over_long"
    NON_FINITE = "non_finite"
    PROCESSING = "processing"


class VagitusError(Exception):
    """Base of all errors that are raised on purpose; `str()` of it is one helpful sentence."""


class SettingsError(VagitusError):
    """A setting is unknown or has a value that cannot be used."""


class BrokerError(VagitusError):
    """The broker cannot be reached or refuses what was asked of it."""


class ModelError(VagitusError):
    """A model file is missing or cannot be read."""


class TimelineError(VagitusError):
    """The timeline's store cannot be reached or refuses, or does not know the infant."""


class AlertmanagerError(VagitusError):
    """Alertmanager cannot be reached or does not take what it was sent."""


class AdtError(VagitusError):
    """An HL7 v2 ADT message, the list of beds, or the key of pseudonyms cannot be used."""


class SourceError(VagitusError):
    """A source gives no sound: no such file, no microphone, nothing that can be decoded."""


class RefusedMessage(VagitusError):
    """One message cannot be accepted.

    Attributes:
        refusal: the bounded reason, used as a metric label and a header of the dead letter.
    """

    def __init__(self, refusal: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.refusal = refusal
