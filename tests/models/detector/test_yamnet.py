"""YAMNet in torch has the shapes of the published one, and hears nothing above 4 kHz."""

import pytest

torch = pytest.importorskip("torch")

from models.detector.yamnet import Yamnet, YamnetSpectrogram, read_yamnet  # noqa: E402


def test_a_second_has_98_frames_and_its_silence_is_the_offset():
    spectrogram = YamnetSpectrogram()(torch.zeros(2, 8000))
    assert spectrogram.shape == (2, 1, 98, 64)
    assert torch.allclose(spectrogram, torch.log(torch.tensor(0.001)))


def test_a_tone_lies_in_its_band_and_none_above_4_khz():
    time = torch.arange(8000) / 8000
    spectrogram = YamnetSpectrogram()(torch.sin(2 * torch.pi * 1000 * time)[None])
    # 1 kHz is mel 1000 of 185..2840 in 65 steps: the 20th triangle peaks at 1002 mels.
    assert spectrogram[0, 0].mean(dim=0).argmax() == 19
    noise = YamnetSpectrogram()(torch.randn(1, 8000))
    assert torch.allclose(noise[..., 50:], torch.log(torch.tensor(0.001)))
    assert (noise[..., :46] > -2).float().mean() > 0.95


def test_a_spectrogram_becomes_maps():
    network = Yamnet().eval()
    with torch.inference_mode():
        assert network(torch.randn(2, 1, 96, 64)).shape == (2, 1024, 3, 2)
        assert network(torch.randn(2, 1, 98, 64)).shape == (2, 1024, 4, 2)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(3.20e6, rel=0.01)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"yamnet\.tflite"):
        read_yamnet(tmp_path / "yamnet.tflite")
