"""Recordings of many kinds are read as one mono waveform."""

import av
import numpy as np
import pytest
import soundfile

from models.sound import SoundError, read

RATE = 16000


def tone(seconds: float = 1.0) -> np.ndarray:
    return (0.4 * np.sin(2 * np.pi * 500 * np.arange(int(RATE * seconds)) / RATE)).astype("f4")


def write_with_av(path, codec: str, rate: int = RATE) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            (tone() * 32767).astype("<i2")[None], format="s16", layout="mono"
        )
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_lossless_files_come_back_exactly(tmp_path, suffix):
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(), RATE, subtype="PCM_16")
    waveform, rate = read(path)
    assert rate == RATE
    np.testing.assert_allclose(waveform, tone(), atol=2**-15)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("m4a", "aac"), ("opus", "libopus"), ("caf", "adpcm_ima_qt")]
)
def test_compressed_files_are_read(tmp_path, suffix, codec):
    path = tmp_path / f"tone.{suffix}"
    try:
        write_with_av(path, codec)
    except (av.FFmpegError, ValueError) as error:
        pytest.skip(f"this FFmpeg cannot write {codec}: {error}")
    waveform, _ = read(path, RATE)
    assert 0.9 * RATE < waveform.size < 1.2 * RATE
    spectrum = np.abs(np.fft.rfft(waveform))
    assert spectrum.argmax() * RATE / waveform.size == pytest.approx(500, abs=5)


def test_channels_are_averaged(tmp_path):
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([tone(), np.zeros_like(tone())], axis=1), RATE)
    np.testing.assert_allclose(read(path)[0], tone() / 2, atol=1e-3)


def test_of_channels_that_cancel_one_is_heard(tmp_path):
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([tone(), -tone()], axis=1), RATE)
    np.testing.assert_allclose(read(path)[0], tone(), atol=1e-3)


def test_another_rate_can_be_asked_for(tmp_path):
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(), RATE)
    waveform, rate = read(path, 8000)
    assert (rate, abs(waveform.size - 8000) < 50) == (8000, True)


@pytest.mark.parametrize("content", [b"", b"not a sound", b"RIFF\0\0\0\0WAVEfmt "])
def test_what_is_no_sound_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "broken.wav"
    path.write_bytes(content)
    with pytest.raises(SoundError) as refused:
        read(path)
    assert "broken.wav" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused():
    with pytest.raises(SoundError):
        read("/nowhere/at/all.wav")
