"""Who cries: the voice and the habits of one synthetic infant.

An infant's voice is held by a handful of traits. Each cry draws its own value of a trait around the
infant's, with the spreads below; so "one within-infant standard deviation" has an exact meaning
here, and a drift can be stated in it.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

SPEED_OF_SOUND_CM_S: Final = 35_000.0
"""In warm, moist air, as in a vocal tract."""

PITCH_RANGE_HZ: Final = (350.0, 600.0)
"""Fundamental frequency of a healthy newborn's cry in its basic mode."""

COMMONEST_PITCH_HZ: Final = 440.0
"""Where most infants lie within that range: recorded cries have their middle here."""

VOCAL_TRACT_RANGE_CM: Final = (7.2, 8.9)
"""Lip to glottis in the first months; 8 cm puts the formants at 1.1, 3.3 and 5.5 kHz."""

# Within-infant standard deviations, cry to cry: the unit of `drifted`. They are small beside the
# deviations between infants (1.9 semitones, 6 % and 0.18), so that infants can be told apart.
PITCH_SPREAD_SEMITONES: Final = 0.5
FORMANT_SPREAD: Final = 0.02
ROUGHNESS_SPREAD: Final = 0.06


class Contour(StrEnum):
    """Melody families: how the pitch moves over one expiration."""

    FALLING = "falling"
    ARCH = "arch"
    DOUBLE_ARCH = "double_arch"
    PLATEAU = "plateau"
    RISING = "rising"


class Trait(StrEnum):
    """What of an infant's voice can drift."""

    PITCH = "pitch"
    ROUGHNESS = "roughness"
    FORMANTS = "formants"


@dataclass(frozen=True)
class Infant:
    """The voice and habits of one infant.

    Attributes:
        name: pseudonym, such as "infant-07f3".
        pitch_hz: middle of the fundamental frequency over a cry.
        contour: the melody that most of its expirations follow.
        melody_semitones: distance from the lowest to the highest pitch of that melody.
        vibrato_hz, vibrato_semitones: rate and depth of the quaver in its voice.
        vocal_tract_cm: length of the vocal tract; the formants follow from it.
        formant_scatter: ratio of each formant to that of an even tube (1.0 = even), F1 first.
        tilt_db_per_octave: fall of the source's harmonics; steeper is softer.
        roughness: 0 (clear) to 1 (hoarse); jitter, shimmer, subharmonics and breath noise scale
            with it.
        expiration_seconds, pause_seconds: middle lengths of one cry breath and of the gap after it.
    """

    name: str
    pitch_hz: float
    contour: Contour
    melody_semitones: float
    vibrato_hz: float
    vibrato_semitones: float
    vocal_tract_cm: float
    formant_scatter: tuple[float, ...]
    tilt_db_per_octave: float
    roughness: float
    expiration_seconds: float
    pause_seconds: float

    def formants_hz(self) -> tuple[float, ...]:
        """Resonances of a tube closed at one end, (2k - 1) c / 4 L, each with its own scatter."""
        quarter_wave = SPEED_OF_SOUND_CM_S / (4.0 * self.vocal_tract_cm)
        return tuple(
            (2 * k + 1) * quarter_wave * scatter for k, scatter in enumerate(self.formant_scatter)
        )


def random_infant(rng: np.random.Generator) -> Infant:
    """Draws an infant; the same state of `rng` gives the same infant."""
    lowest, highest = np.log(PITCH_RANGE_HZ)
    return Infant(
        name=f"infant-{rng.integers(16**4):04x}",
        pitch_hz=float(np.exp(rng.triangular(lowest, np.log(COMMONEST_PITCH_HZ), highest))),
        contour=list(Contour)[rng.integers(len(Contour))],
        melody_semitones=float(rng.uniform(1.5, 6.0)),
        vibrato_hz=float(rng.uniform(4.0, 8.0)),
        vibrato_semitones=float(rng.uniform(0.1, 0.5)),
        vocal_tract_cm=float(rng.uniform(*VOCAL_TRACT_RANGE_CM)),
        formant_scatter=tuple(float(s) for s in rng.normal(1.0, 0.05, size=4)),
        tilt_db_per_octave=float(rng.uniform(-7.0, -2.0)),
        roughness=float(rng.beta(2.0, 4.0)),
        expiration_seconds=float(rng.uniform(0.7, 1.3)),
        pause_seconds=float(rng.uniform(0.22, 0.4)),
    )


def drifted(
    infant: Infant,
    amount: float,
    traits: Collection[Trait] = tuple(Trait),
) -> Infant:
    """The same infant after its voice has moved.

    Each of `traits` moves by `amount` of its within-infant standard deviations, upwards for
    positive amounts: pitch by `amount * PITCH_SPREAD_SEMITONES` semitones, roughness by `amount *
    ROUGHNESS_SPREAD` (kept within 0 to 1), all formants by a factor of `1 + amount *
    FORMANT_SPREAD`. `drifted(infant, 0)` equals `infant`; the name stays in any case.

    Raises:
        ValueError: the amount is not finite, or would turn the vocal tract inside out.
    """
    formant_factor = 1.0 + amount * FORMANT_SPREAD
    if not np.isfinite(amount) or formant_factor <= 0.0:
        raise ValueError(f"an infant cannot drift by {amount} standard deviations")
    changes: dict[str, float] = {}
    if Trait.PITCH in traits:
        changes["pitch_hz"] = infant.pitch_hz * 2.0 ** (amount * PITCH_SPREAD_SEMITONES / 12.0)
    if Trait.ROUGHNESS in traits:
        roughness = infant.roughness + amount * ROUGHNESS_SPREAD
        changes["roughness"] = float(np.clip(roughness, 0.0, 1.0))
    if Trait.FORMANTS in traits:
        changes["vocal_tract_cm"] = infant.vocal_tract_cm / formant_factor
    return replace(infant, **changes)


def one_cry_of(infant: Infant, rng: np.random.Generator) -> Infant:
    """The infant as it is during one cry: every drifting trait drawn around its middle."""
    return replace(
        infant,
        pitch_hz=infant.pitch_hz * 2.0 ** (rng.normal(0.0, PITCH_SPREAD_SEMITONES) / 12.0),
        vocal_tract_cm=infant.vocal_tract_cm / (1.0 + rng.normal(0.0, FORMANT_SPREAD)),
        roughness=float(np.clip(rng.normal(infant.roughness, ROUGHNESS_SPREAD), 0.0, 1.0)),
        tilt_db_per_octave=infant.tilt_db_per_octave + rng.normal(0.0, 0.5),
        melody_semitones=infant.melody_semitones * rng.uniform(0.8, 1.25),
    )
