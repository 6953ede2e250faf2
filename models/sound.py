"""Reads any audio file that FFmpeg knows (through PyAV) as one mono waveform."""

from itertools import chain
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

# A file of a day would fill the memory; whoever has one cuts it.
MAX_SECONDS = 6 * 3600
# Of the loudest channel's power; of unlike channels eight leave more than this on average.
CANCELLED = 0.01


class SoundError(Exception):
    """A file cannot be read as sound; `str()` is one sentence that says why."""


def read(path: Path | str, sample_rate_hz: int | None = None) -> tuple[NDArray[np.float32], int]:
    """Read a recording.

    Args:
        path: of a wav, flac, opus, ogg, 3gp, caf, m4a, mp3, ...
        sample_rate_hz: resample to this rate; None keeps the file's own.

    Returns:
        float32 [samples] in -1..1 (channels averaged, unless they cancel), and its rate in Hz.

    Raises:
        SoundError: there is no such file, it holds no sound, or it cannot be decoded.
    """
    path = Path(path)
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise SoundError(f"{path.name} holds no sound")
            stream = container.streams.audio[0]
            rate = sample_rate_hz or stream.rate
            # Also for the file's own rate: it makes every codec's samples float, a row a channel.
            resampler = av.AudioResampler(format="fltp", rate=rate)
            pieces = []
            samples = 0
            for frame in chain(container.decode(stream), [None]):
                for piece in resampler.resample(frame):
                    pieces.append(_mixed(piece.to_ndarray()))
                    samples += pieces[-1].size
                if samples > MAX_SECONDS * rate:
                    raise SoundError(f"{path.name} is longer than {MAX_SECONDS // 3600} hours")
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SoundError(f"{path.name} cannot be decoded: {reason}") from error
    waveform = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    if not waveform.size:
        raise SoundError(f"{path.name} holds no sound")
    if not np.isfinite(waveform).all():
        raise SoundError(f"{path.name} holds values that are not finite")
    return np.clip(waveform, -1.0, 1.0).astype(np.float32), rate


def _mixed(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The channels' average: [channels, samples] to [samples].

    Where they cancel, as with one microphone that is wired the wrong way round, nothing would be
    left to hear: then one of those that are as loud as any.
    """
    average = channels.mean(axis=0)
    if len(channels) == 1:
        return average
    powers = np.square(channels).sum(axis=1)
    if np.square(average).sum() >= CANCELLED * powers.max():
        return average
    return channels[np.argmax(powers >= powers.max() / 2)]
