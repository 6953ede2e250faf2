"""The running system needs nothing of the training, and leaves nothing behind.

Neither torch nor librosa may be asked for; and no library may keep notes for its makers.
"""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import importlib, pkgutil, sys

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {forbidden}:
            raise ImportError(name + " is not part of the running system")

sys.meta_path.insert(0, Forbidden())

import streams
names = [m.name for m in pkgutil.walk_packages(streams.__path__, "streams.")]
for name in names:
    importlib.import_module(name)

import numpy as np
from prometheus_client import CollectorRegistry
from streams.app import Models, build_app
from streams.settings import Settings

settings = Settings(state_dir=sys.argv[1])
models = Models.load(settings)
build_app(settings, models, CollectorRegistry())
second = np.zeros((1, 8000), np.float32)
features = models.detector.features(second, 8000)
models.detector.scores(models.detector.window(features)[None])
models.embedder.embed(second[0], 8000)
print(len(names))
"""
TRAINING = {"torch", "torchaudio", "librosa", "sklearn", "onnx", "onnxscript", "tqdm"}
# What the extras `demo`, `microphone`, `postgres` and `parquet` bring is asked for only in use, and
# without `fast` all is the same, but slower.
EXTRAS = {"confluent_kafka", "sounddevice", "psycopg", "pyarrow", "cv2"}


def test_every_module_works_without_what_only_training_needs_and_writes_nothing(tmp_path):
    program = PROGRAM.replace("{forbidden}", repr(TRAINING | EXTRAS))
    told = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "state")],
        env={**told, "HOME": str(tmp_path), "XDG_CACHE_HOME": "", "TMPDIR": str(tmp_path)},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 40
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("command", ["streams.cli", "models.train"])
def test_a_command_asks_for_one_thread_of_blas_before_numpy_is_loaded(command):
    program = f"import os, sys, {command}; print(os.environ[{{0!r}}], 'numpy' in sys.modules)"
    unset = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    done = subprocess.run(
        [sys.executable, "-c", program.format("OPENBLAS_NUM_THREADS")],
        env=unset, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == ["1", "False"], done.stderr
