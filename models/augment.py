"""What microphones, rooms and codecs do to sound, so that a model learns to look past it."""

import io

import av
import numpy as np
from numpy.typing import NDArray

from models.waveform import resample

RATE_HZ = 8000
# What the sound was sent through: container format, codec, rate, bit rate (None: the codec's own).
CODECS: dict[str, tuple[str, str, int, int | None]] = {
    "amr-nb": ("amr", "libopencore_amrnb", 8000, 12_200),
    "ima-adpcm": ("caf", "adpcm_ima_qt", 16000, None),
    "opus": ("ogg", "libopus", 16000, 16_000),
    "mu-law": ("wav", "pcm_mulaw", 8000, None),
}


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
