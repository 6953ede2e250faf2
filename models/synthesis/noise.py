"""What else is heard on a ward: air handling, people talking, monitors beeping.

All of it is made at unit level (root mean square 1 while it sounds); the ward says how loud it is.
"""

from typing import Final

import numpy as np
from scipy.signal.windows import tukey

from models.synthesis.voice import harmonic_source, resonate, wander

VOWELS_HZ: Final = (
    (280.0, 2250.0, 2950.0),
    (400.0, 2000.0, 2600.0),
    (550.0, 1800.0, 2500.0),
    (720.0, 1250.0, 2500.0),
    (580.0, 900.0, 2450.0),
    (440.0, 1050.0, 2300.0),
    (310.0, 880.0, 2300.0),
)
"""Rounded first three formants of adult vowels, from closed front over open to closed back."""

VOWEL_BANDWIDTHS_HZ: Final = (80.0, 110.0, 170.0)

ALARM_PITCHES_HZ: Final = (640.0, 940.0, 980.0, 1280.0, 1980.0, 2820.0, 3640.0)
"""Where recorded bedside monitors have their alarms and beeps, first harmonic or loudest one."""

ALARM_HARMONICS: Final = 5
"""As many as the standard for alarm signals, IEC 60601-1-8, wants heard."""

ALARM_HARMONIC_DB: Final = (-25.0, -8.0)
"""Recorded overtones: any of them, none in order, all well under the first."""

MICROPHONE_CUT_HZ: Final = 150.0
"""Microphones for voices hold back the rumble below this; without it, rumble is all they hear."""


def hvac(samples: int, rng: np.random.Generator, sample_rate_hz: int = 16_000) -> np.ndarray:
    """Air handling: noise that falls with frequency, with a faint mains hum.

    The end joins the beginning without a click, so that a short piece can be looped for hours.

    Returns:
        float32 [samples].
    """
    frequency = np.fft.rfftfreq(samples, 1.0 / sample_rate_hz)
    exponent = rng.uniform(0.8, 1.4)  # of power over frequency: 1 is pink
    cut = (frequency / MICROPHONE_CUT_HZ) ** 2
    shape = np.maximum(frequency, 30.0) ** (-exponent / 2.0) * cut / (1.0 + cut)
    spectrum = shape * (rng.standard_normal((2, frequency.size)).T @ np.array([1.0, 1.0j]))
    air = np.fft.irfft(spectrum, samples)
    air /= np.sqrt(np.mean(air**2))
    cycles = round(rng.choice([100.0, 120.0]) * samples / sample_rate_hz)
    hum = np.sin(2.0 * np.pi * cycles * np.arange(samples) / samples)
    mixed = air + rng.uniform(0.0, 0.3) * hum
    return (mixed / np.sqrt(np.mean(mixed**2))).astype(np.float32)


def babble(
    samples: int, rng: np.random.Generator, sample_rate_hz: int = 16_000, speakers: int = 2
) -> np.ndarray:
    """Speech-like sound: adults who take syllables of no language, with pauses between phrases.

    Returns:
        float32 [samples].
    """
    mixed = np.zeros(samples)
    for _ in range(speakers):
        mixed += rng.uniform(0.4, 1.0) * _speaker(samples, rng, sample_rate_hz)
    return (mixed / (np.sqrt(np.mean(mixed**2)) + 1e-9)).astype(np.float32)


def _speaker(samples: int, rng: np.random.Generator, sample_rate_hz: int) -> np.ndarray:
    """One adult, float64 [samples]."""
    pitch_hz = rng.choice([rng.uniform(90.0, 140.0), rng.uniform(170.0, 230.0)])
    tract = rng.uniform(0.95, 1.15)
    wave = np.zeros(samples)
    at = 0
    while at < samples:
        syllables = rng.integers(4, 14)
        for place in range(syllables):
            length = round(rng.uniform(0.11, 0.28) * sample_rate_hz)
            declination = 1.12 - 0.25 * place / syllables
            syllable = _syllable(length, pitch_hz * declination, tract, rng, sample_rate_hz)
            end = min(at + length, samples)
            wave[at:end] += syllable[: end - at]
            at += round(0.85 * length)  # neighbours overlap, as articulation does
            if at >= samples:
                return wave
        at += round(rng.uniform(0.2, 1.0) * sample_rate_hz)
    return wave


def _syllable(
    samples: int, pitch_hz: float, tract: float, rng: np.random.Generator, sample_rate_hz: int
) -> np.ndarray:
    """A consonant of noise into a vowel, float64 [samples]."""
    accent = 1.0 + 0.08 * rng.standard_normal() + 0.03 * wander(samples, 4.0, rng, sample_rate_hz)
    source = harmonic_source(pitch_hz * accent, -10.0, sample_rate_hz)
    vowel = tract * np.array(VOWELS_HZ[rng.integers(len(VOWELS_HZ))])
    voiced = resonate(source, vowel, VOWEL_BANDWIDTHS_HZ, sample_rate_hz)
    voiced *= tukey(samples, 0.6) / (np.sqrt(np.mean(voiced**2)) + 1e-9)
    onset = round(0.3 * samples)
    consonant = resonate(
        rng.standard_normal(onset), [rng.uniform(1800.0, 5500.0)], [1500.0], sample_rate_hz
    )
    voiced[:onset] += 0.25 * tukey(onset, 0.8) * consonant / (np.std(consonant) + 1e-9)
    return voiced


def beeps(samples: int, rng: np.random.Generator, sample_rate_hz: int = 16_000) -> np.ndarray:
    """A bedside monitor: one alarm pattern, or the beep of every heartbeat, repeated.

    Returns:
        float32 [samples].
    """
    pitches = rng.choice(ALARM_PITCHES_HZ, size=rng.integers(1, 4), replace=False)
    pulse = round(rng.uniform(0.08, 0.2) * sample_rate_hz)
    if rng.random() < 0.5:  # a heartbeat: one pulse, 120 to 170 a minute
        pitches = pitches[:1]
        period = round(60.0 / rng.uniform(120.0, 170.0) * sample_rate_hz)
        pulse = min(pulse, period // 3)
    else:
        period = round(
            (pulse / sample_rate_hz * 2.0 * len(pitches) + rng.uniform(0.4, 1.5)) * sample_rate_hz
        )
    overtones = 10.0 ** (rng.uniform(*ALARM_HARMONIC_DB, size=ALARM_HARMONICS - 1) / 20.0)
    harmonics = np.concatenate([[1.0], overtones])
    t = np.arange(pulse) / sample_rate_hz
    window = tukey(pulse, 0.3)
    wave = np.zeros(samples)
    for start in range(0, samples, period):
        for place, pitch in enumerate(pitches):
            tone = sum(
                level * np.sin(2.0 * np.pi * k * pitch * t)
                for k, level in enumerate(harmonics, start=1)
                if k * pitch < sample_rate_hz / 2.0
            )
            at = start + 2 * place * pulse
            end = min(at + pulse, samples)
            if at < end:
                wave[at:end] += (window * tone)[: end - at]
    sounding = wave[wave != 0.0]
    return (wave / (np.sqrt(np.mean(sounding**2)) + 1e-9)).astype(np.float32)
