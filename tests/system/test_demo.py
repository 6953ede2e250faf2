"""`vagitus demo`, as a new user runs it: it ends by itself, or when it is told to."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from streams.worker import STOP_SECONDS
from tests.streams.ward import BEFORE_SECONDS, record_cry, record_room
from tests.system.pipeline import VAGITUS

pytestmark = pytest.mark.system

# Inherited by every process that a demo starts: so that what it leaves behind is found.
MARK = "VAGITUS_TEST_DEMO"
# Two busy cores take twenty seconds to the first score.
PATIENCE_SECONDS = 150
STATES = "quiet|crying|learning|deviating|silent"
ADDRESS = re.compile(r"Metrics: (http://\S+/metrics)")
SUMMARY = re.compile(
    r"(\d+) seconds sent, (\d+) scored, (\d+) cr(?:y|ies) on timelines, (\d+) refused"
)
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


class Demo:
    """A demo that runs, in a terminal of 80 columns, and what it has shown so far."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.mark = uuid.uuid4().hex
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        environment = {name: v for name, v in os.environ.items() if not name.startswith("VAGITUS_")}
        environment |= {
            MARK: self.mark, "TMPDIR": str(self.temporary), "TERM": "xterm",
            "COLUMNS": "80", "LINES": "40",
        }  # fmt: skip
        ours, its = pty.openpty()
        self.process = subprocess.Popen(
            [*VAGITUS, "demo", *arguments],
            cwd=folder, env=environment, stdout=its, stderr=its, start_new_session=True,
        )  # fmt: skip
        os.close(its)
        self._shown = ""
        self._reader = threading.Thread(target=self._read, args=(ours,), daemon=True)
        self._reader.start()

    def _read(self, ours: int) -> None:
        with os.fdopen(ours, "rb", buffering=0) as screen:
            try:
                while piece := screen.read(65536):
                    self._shown += piece.decode(errors="replace")
            except OSError:
                return  # Linux ends a terminal that nobody holds with an error

    @property
    def shown(self) -> str:
        """Everything on the terminal so far, without colours and cursor movements."""
        return ESCAPES.sub("", self._shown).replace("\r", "")

    def until(self, pattern: str) -> re.Match[str]:
        """Wait until something is shown."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := re.search(pattern, self.shown)) is None:
            assert self.process.poll() is None, self.shown
            assert time.monotonic() < deadline, self.shown
            time.sleep(0.1)
        return found

    def end(self) -> int:
        """Wait for its end: its exit status."""
        status = self.process.wait(PATIENCE_SECONDS)
        self._reader.join(10)
        return status

    def processes(self) -> dict[int, str]:
        """What runs of this demo: the command line of each process."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes():
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found[int(folder.name)] = command
            except OSError:
                continue  # it ended, or is another user's
        return {process: command for process, command in found.items() if command}

    def counts(self) -> tuple[int, ...]:
        """Of the summary: seconds sent and scored, cries, refused."""
        summary = SUMMARY.search(self.shown)
        assert summary, self.shown
        return tuple(map(int, summary.groups()))


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[Demo]:
    running = Demo(folder, *arguments)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        for process in running.processes():
            os.kill(process, signal.SIGKILL)


def check_clean(ended: Demo) -> None:
    """Nothing runs on, nothing but the worker's log is left, and no fault was shown."""
    assert "Traceback" not in ended.shown
    if sys.platform == "linux":
        assert ended.processes() == {}
    (log,) = ended.temporary.iterdir()
    assert "Traceback" not in log.read_text()


def rows(text: str, title: str) -> list[list[str]]:
    """The cells of the last table with this title whose first cell is a bed or an infant."""
    lines = text.rpartition(title)[2].splitlines()
    return [line.split() for line in lines if re.match(r"(cot-|infant-|all )", line)]


def test_a_demo_with_a_duration_ends_by_itself_with_a_summary(tmp_path):
    with demo(tmp_path, "--duration", "8", "--monitors", "3") as running:
        assert running.end() == 0, running.shown
    check_clean(running)
    sent, scored, cries, refused = running.counts()
    assert sent == scored >= 3 * 8 * 12 / 2
    assert cries >= 1
    assert refused == 0
    ward = rows(running.shown, "The ward at the end")
    assert [row[0] for row in ward if row[0].startswith("cot-")] == ["cot-1", "cot-2", "cot-3"]
    verdicts = rows(running.shown, "What was heard, and what was so")
    assert [row[0] for row in verdicts][-1] == "all"
    assert {row[1] for row in ward[:3]} == {row[0] for row in verdicts[:-1]}
    seconds = re.search(r"all +(\d+) +\d+ \(\d+%\) +(\d+)", running.shown)
    assert seconds, running.shown
    # What is partly a cry counts as neither.
    assert scored / 2 < sum(map(int, seconds.groups())) <= scored


def test_ctrl_c_ends_a_demo_in_the_middle_as_cleanly(tmp_path):
    with demo(tmp_path, "--monitors", "3") as running:
        address = running.until(ADDRESS.pattern)[1]
        running.until(r"\b[1-9]\d* seconds heard, 0 refused")
        running.until(rf"cot-3 +infant-\w+ +({STATES})")
        page = urlopen(address, timeout=10).read().decode()
        if sys.platform == "linux":
            assert len(running.processes()) == 2
        running.process.send_signal(signal.SIGINT)
        assert running.end() == 0, running.shown
    check_clean(running)
    assert 'vagitus_cry_active{bed="cot-3"' in page
    assert re.search(r'vagitus_chunks_total\{outcome="scored"\} [1-9]', page)
    sent, scored, _, refused = running.counts()
    assert (sent, refused) == (scored, 0)
    with pytest.raises(OSError):
        urlopen(address, timeout=2)


def test_ctrl_c_ends_a_demo_that_has_only_begun(tmp_path):
    with demo(tmp_path, "--monitors", "3") as running:
        running.until("Starting the broker and a worker")
        running.process.send_signal(signal.SIGINT)
        assert running.end() == 0, running.shown
    check_clean(running)
    assert running.counts() == (0, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_no_worker_outlives_a_demo_that_was_killed(tmp_path):
    with demo(tmp_path, "--monitors", "3") as running:
        running.until(r"\b[1-9]\d* seconds heard, 0 refused")
        assert len(running.processes()) == 2
        running.process.kill()
        running.process.wait()
        deadline = time.monotonic() + STOP_SECONDS + 30
        while running.processes():
            assert time.monotonic() < deadline, running.processes()
            time.sleep(0.2)


def test_a_demo_plays_a_folder_of_recordings_to_its_end(tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    record_cry(folder / "first cry.wav", infant=0)
    quiet, rate = soundfile.read(record_room(folder / "room.wav", 10.0))
    sound, rate = soundfile.read(record_cry(tmp_path / "whole.wav", infant=1))
    # Its cry ends only because its monitor falls silent.
    cut = [quiet, sound[: (BEFORE_SECONDS + 3) * rate]]
    soundfile.write(folder / "cut.flac", np.concatenate(cut), rate)
    (folder / "broken.wav").write_bytes(b"no sound")
    with demo(tmp_path, "--audio", "recordings") as running:
        assert running.end() == 0, running.shown
    check_clean(running)
    assert running.counts() == (9 + 15 + 10, 9 + 15 + 10, 2, 0)
    ward = {row[1]: row for row in rows(running.shown, "The ward at the end")}
    assert [ward[name][4] for name in ("first-cry", "cut", "room")] == ["1", "1", "0"]
    assert "What was heard, and what was so" not in running.shown
