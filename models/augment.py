"""What microphones, rooms and codecs do to sound, so that a model learns to look past it."""

import io

import av
import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from models.waveform import resample

RATE_HZ = 8000
# What the sound was sent through: container format, codec, rate, bit rate (None: the codec's own).
CODECS: dict[str, tuple[str, str, int, int | None]] = {
    "amr-nb": ("amr", "libopencore_amrnb", 8000, 12_200),
    "ima-adpcm": ("caf", "adpcm_ima_qt", 16000, None),
    "opus": ("ogg", "libopus", 16000, 16_000),
    "mu-law": ("wav", "pcm_mulaw", 8000, None),
}

# A room's memory that still matters for a second's spectrogram, and the quiet after the direct
# sound until the nearest wall answers (3 ms: half a metre away).
ROOM_SAMPLES = RATE_HZ // 2
FIRST_REFLECTION = 24
# A response of six knots from 60 Hz to 4 kHz, about an octave each, 3.5 dB of spread.
LOWEST_HZ, COLOUR_KNOTS, COLOUR_DB = 60.0, 6, 3.5


def through_codec(
    waveform: NDArray[np.float32], sample_rate_hz: int, codec: str
) -> NDArray[np.float32]:
    """Encode and decode float32 [samples]; returns as many samples at the same rate.

    `codec` is a name of `CODECS`. Raises ValueError for another, and if this FFmpeg lacks it.
    """
    if codec not in CODECS:
        raise ValueError(f"no codec {codec!r}; there are {', '.join(CODECS)}")
    container_format, name, rate, bit_rate = CODECS[codec]
    pcm = (np.clip(resample(waveform, sample_rate_hz, rate), -1, 1) * 32767).astype("<i2")
    buffer = io.BytesIO()
    try:
        with av.open(buffer, "w", format=container_format) as container:
            stream = container.add_stream(name, rate=rate, layout="mono")
            if bit_rate:
                stream.bit_rate = bit_rate
            frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
            frame.sample_rate = rate
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                container.mux(packet)
        buffer.seek(0)
        with av.open(buffer) as container:
            resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
            frames = [
                f for decoded in container.decode(audio=0) for f in resampler.resample(decoded)
            ]
            pieces = [f.to_ndarray()[0] for f in [*frames, *resampler.resample(None)]]
    except av.FFmpegError as error:
        raise ValueError(f"this FFmpeg cannot do {codec}: {error}") from error
    decoded = resample(np.concatenate(pieces), rate, sample_rate_hz)[: waveform.size]
    return np.pad(decoded, (0, waveform.size - decoded.size)).astype(np.float32)


def with_gain(
    waveforms: NDArray[np.float32], rng: np.random.Generator, decibels: tuple[float, float]
) -> NDArray[np.float32]:
    """Each of float32 [batch, samples] by a random gain; what becomes too loud clips."""
    gains = 10.0 ** (rng.uniform(*decibels, size=(len(waveforms), 1)) / 20)
    return np.clip(waveforms * gains, -1, 1).astype(np.float32)


def with_noise(
    waveforms: NDArray[np.float32],
    noises: NDArray[np.float32],
    rng: np.random.Generator,
    snr_db: tuple[float, float],
) -> NDArray[np.float32]:
    """Each of float32 [batch, samples] with a noise of the same shape at a random SNR."""
    wanted = 10.0 ** (-rng.uniform(*snr_db, size=(len(waveforms), 1)) / 20)
    loudness = np.sqrt(np.mean(waveforms**2, axis=1, keepdims=True))
    noise_loudness = np.sqrt(np.mean(noises**2, axis=1, keepdims=True)) + 1e-6
    return (waveforms + noises * wanted * loudness / noise_loudness).astype(np.float32)


def band_limited(
    waveforms: NDArray[np.float32], rng: np.random.Generator, cutoff_hz: tuple[float, float]
) -> NDArray[np.float32]:
    """Each of float32 [batch, samples] at 8 kHz low-passed at a random edge, 12 dB at it."""
    spectrum = np.fft.rfft(waveforms, axis=1)
    hz = np.linspace(0, RATE_HZ / 2, spectrum.shape[1])
    edges = rng.uniform(*cutoff_hz, size=(len(waveforms), 1))
    gain = 1 / (1 + (hz[None] / edges) ** 8) ** 1.0
    return np.fft.irfft(spectrum * gain, n=waveforms.shape[1], axis=1).astype(np.float32)


def at_speed(
    waveforms: NDArray[np.float32], rng: np.random.Generator, factors: tuple[float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Each of float32 [batch, samples] played faster or slower, ending with its last sample.

    Pitch and tempo change together. Returns the sounds, as long as given, and the factors [batch];
    what lies before the beginning of a sound that is played faster is silence.
    """
    batch, samples = waveforms.shape
    chosen = rng.uniform(*factors, size=batch)
    at = (samples - 1) - chosen[:, None] * np.arange(samples - 1, -1, -1)
    before = np.clip(np.floor(at).astype(int), 0, samples - 2)
    share = (at - before).astype(np.float32)
    heard = np.take_along_axis(waveforms, before, 1) * (1 - share)
    heard += np.take_along_axis(waveforms, before + 1, 1) * share
    heard[at < 0] = 0.0
    return heard.astype(np.float32), chosen


def in_room(
    waveforms: NDArray[np.float32],
    rng: np.random.Generator,
    decay_seconds: tuple[float, float],
    direct_db: tuple[float, float],
) -> NDArray[np.float32]:
    """Each of float32 [batch, samples] at 8 kHz in a random diffuse room (Polack 1988).

    Args:
        waveforms: the sound, with as much before what is wanted as a room remembers.
        rng: where the rooms come from.
        decay_seconds: range of the time to -60 dB.
        direct_db: range of the direct sound's level over all that is reflected: 0 dB is about
            two metres away in a furnished room, -6 dB further.
    """
    batch, samples = waveforms.shape
    length = min(samples, ROOM_SAMPLES)
    decay = rng.uniform(*decay_seconds, size=(batch, 1))
    tail = rng.standard_normal((batch, length)) * 10.0 ** (
        -3.0 * np.arange(length) / RATE_HZ / decay
    )
    tail[:, :FIRST_REFLECTION] = 0.0
    level = 10.0 ** (-rng.uniform(*direct_db, size=(batch, 1)) / 20)
    tail *= level / np.sqrt(np.sum(tail**2, axis=1, keepdims=True))
    tail[:, 0] = 1.0
    size = next_fast_len(samples + length, real=True)
    spectrum = rfft(waveforms, size) * rfft(tail.astype(np.float32), size)
    return irfft(spectrum, size)[:, :samples].astype(np.float32)


def through_microphone(
    waveforms: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Each of float32 [batch, samples] at 8 kHz with a microphone's and a line's own colour.

    A smooth random response, half of the time without the lows, half of the time without the
    highs: what tells a phone from a baby monitor, and neither from a cry.
    """
    batch, samples = waveforms.shape
    hz = np.linspace(1.0, RATE_HZ / 2, samples // 2 + 1)
    octaves = np.clip(np.log2(hz / LOWEST_HZ), 0, COLOUR_KNOTS) * (COLOUR_KNOTS - 1) / COLOUR_KNOTS
    colour = rng.normal(0, COLOUR_DB, (batch, COLOUR_KNOTS))
    knots = np.arange(COLOUR_KNOTS)
    response = np.stack([10 ** (np.interp(octaves, knots, row) / 20) for row in colour])
    edges = rng.uniform((1700, 60), (3900, 450), size=(batch, 2))
    for row in range(batch):
        if rng.random() < 0.5:
            response[row] /= 1 + (hz / edges[row, 0]) ** 8
        if rng.random() < 0.5:
            low = (hz / edges[row, 1]) ** 3
            response[row] *= low / (1 + low)
    return irfft(rfft(waveforms) * response.astype(np.float32), samples).astype(np.float32)


def coloured_noise(batch: int, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise between white and a little more than pink, at unit level: float32 [batch, samples]."""
    tilt = rng.uniform(0, 1.3, size=(batch, 1)) / 2
    shape = np.arange(1, samples // 2 + 2) ** -tilt
    phases = rng.standard_normal((2, *shape.shape))
    noise = irfft((shape * (phases[0] + 1j * phases[1])).astype(np.complex64), samples)
    return (noise / noise.std(axis=1, keepdims=True)).astype(np.float32)
