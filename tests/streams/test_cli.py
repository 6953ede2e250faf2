"""The command line, through its own entry point: it teaches, and it fails in one sentence."""

import os
import re
import subprocess
import sys

import pytest

from streams.cli import COMMANDS, SECTIONS
from streams.settings import Settings

PROGRAM = [sys.executable, "-c", "from streams.cli import main; main()"]
NOWHERE = "127.0.0.1:1"
PATHS = [
    "demo", "worker", "play", "score", "embed", "replay", "timeline", "baseline", "baseline show",
    "baseline freeze", "baseline unfreeze", "baseline reset", "baseline rollback", "rebuild",
    "evaluate", "topics", "topics create", "topics list", "admit", "transfer", "discharge",
    "admissions", "adt", "alerts", "alerts list", "alerts silence", "alerts acknowledge",
    "alerts lift", "doctor", "health", "broker", "completion",
]  # fmt: skip


def test_every_command_is_listed_with_a_whole_sentence(vagitus):
    status, page, _ = vagitus("--help")
    assert status == 0
    rows = page[page.index(f"{next(iter(SECTIONS))}:") :]
    listed = re.findall(r"^  ([a-z]+)  +(\S.*(?:\n {4,}\S.*)*)", rows, re.MULTILINE)
    assert [name for name, _ in listed] == list(COMMANDS)
    assert set(COMMANDS) == {path for path in PATHS if " " not in path}
    assert all(text.endswith(".") and "..." not in text for _, text in listed), rows
    assert vagitus()[2].count("score") >= 1


@pytest.mark.parametrize("path", PATHS)
def test_every_help_says_what_it_does_and_shows_an_example(vagitus, path):
    status, page, _ = vagitus(*path.split(), "--help")
    lines = page.splitlines()
    usage, text = lines[0], [line.strip() for line in lines[1:]]
    assert (status, usage.startswith(f"Usage: vagitus {path} ")) == (0, True)
    assert any(line.endswith((".", ":")) and line[0].isupper() for line in text if line)
    assert any(f"vagitus {path}" in line for line in text)
    # Words of one paragraph stand one space apart.
    prose = page.partition("Options:")[0].partition("Settings:")[0]
    assert not re.search(r"\w {3,}\w", prose)


def test_workers_help_has_every_setting(vagitus):
    page = vagitus("worker", "-h")[1]
    assert all(f"VAGITUS_{name.upper()}" in page for name in Settings.model_fields)


def test_the_version_is_the_packages(vagitus):
    assert vagitus("--version")[:2] == (0, "vagitus, version 0.1.0\n")


@pytest.mark.parametrize(("shell", "holds"), [("bash", "complete "), ("zsh", "#compdef vagitus"),
                                              ("fish", "complete ")])  # fmt: skip
def test_completion_scripts_ask_vagitus_itself(vagitus, shell, holds):
    status, script, _ = vagitus("completion", shell)
    assert (status, holds in script) == (0, True)
    assert f"_VAGITUS_COMPLETE={shell}_complete" in script


@pytest.mark.parametrize(
    ("words", "fitting"),
    [
        ("vagitus d", ["demo", "doctor", "discharge"]),
        ("vagitus play --s", ["--simulate", "--speed", "--seed"]),
        ("vagitus play --simulate 8 --speed m", ["max"]),
        ("vagitus play --codec ", ["pcm", "flac", "opus"]),
    ],
)
def test_a_shell_is_told_what_fits(words, fitting):
    done = subprocess.run(
        PROGRAM,
        env={**os.environ, "_VAGITUS_COMPLETE": "bash_complete", "COMP_WORDS": words,
             "COMP_CWORD": str(words.count(" "))},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == [f"plain,{word}" for word in fitting]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nonsense"], 2, "There is no command 'nonsense'"),
        (["score"], 2, "Missing argument 'PATHS"),
        (["score", "--jsn", "x"], 2, "No such option: --jsn"),
        (["score", "missing.wav"], 2, "'missing.wav' does not exist"),
        (["embed", "missing.wav", "--out", "x.npz"], 2, "'missing.wav' does not exist"),
        (["embed", os.curdir, "--out", "missing/x.npz"], 2, "there is no folder missing"),
        (["replay", "missing.csv"], 2, "'missing.csv' does not exist"),
        (["play"], 2, "Give PATHS, --microphone or --simulate"),
        (["play", os.curdir, "--microphone"], 2, "Give PATHS, --microphone or --simulate"),
        (["play", os.curdir, "--simulate", "2"], 2, "Give PATHS, --microphone or --simulate"),
        (["play", "--simulate", "0"], 2, "--simulate"),
        (["play", "--simulate", "2", "--speed", "2"], 2, "Give --duration too"),
        (["play", "--simulate", "2", "--speed", "max"], 2, "Give --duration too"),
        (["play", "--simulate", "2", "--duration", "soon"], 2, "'soon' is not a time"),
        (["play", "--simulate", "2", "--duration", "0"], 2, "'0' is not a time"),
        (["play", "--simulate", "2", "--monitor", "mon-3"], 2, "leave out --monitor"),
        (["play", os.curdir, "--seed", "0"], 2, "--seed and --drift-after belong to --simulate"),
        (["play", os.curdir, "--drift-after", "1h"], 2, "belong to --simulate"),
        (["play", os.curdir, "--speed", "-1"], 2, "a number above 0, or `max`"),
        (["play", os.curdir, "--speed", "nan"], 2, "a number above 0, or `max`"),
        (["demo", "--monitors", "0"], 2, "--monitors"),
        (["demo", "--audio", "missing"], 2, "'missing' does not exist"),
        (["broker", "--port", "65536"], 2, "--port"),
        (["completion", "tcsh"], 2, "'tcsh' is not one of"),
        (["admit", "mon-1", "infant-1", "--ward", "nicu"], 2, "Missing option '--bed'"),
        (["admit", "mon-1", "A Name", "--ward", "w", "--bed", "b"], 1, "infant 'A Name' is not"),
        (["rebuild", "--all", "--infant", "i"], 2, "Give --infant, or --all"),
        (["worker", "--broker", "host"], 1, "VAGITUS_BROKER: 'host' is not host:port"),
        (["worker", "--broker", "h:x"], 1, "VAGITUS_BROKER: 'h:x' is not host:port"),
        (["topics", "list", "--broker", "[::1"], 1, "VAGITUS_BROKER: '[::1' is not host:port"),
        (["topics", "list", "--broker", "h:65536"], 1, "VAGITUS_BROKER: 'h:65536' is not"),
        (["worker", "--metrics-port", "65536"], 1, "VAGITUS_METRICS_PORT"),
    ],
)
def test_a_mistake_is_said_in_one_sentence(vagitus, tmp_path, monkeypatch, arguments, status, said):
    monkeypatch.chdir(tmp_path)
    ended, _, errors = vagitus(*arguments)
    last = errors.strip().splitlines()[-1]
    assert (ended, said in last) == (status, True), errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "arguments",
    [["worker"], ["topics", "create"], ["topics", "list"], ["discharge", "mon-1"],
     ["admit", "mon-1", "infant-1", "--ward", "nicu", "--bed", "cot-1"], ["play", "cry.wav"],
     ["baseline", "show", "infant-1"], ["baseline", "reset", "infant-1", "--yes"], ["rebuild"]],
)  # fmt: skip
def test_a_broker_that_does_not_answer_is_said_in_one_sentence(
    vagitus, cry, monkeypatch, arguments
):
    monkeypatch.chdir(cry.parent)
    status, _, errors = vagitus(*arguments, "--broker", NOWHERE)
    assert status == 1
    assert errors.startswith(f"vagitus: No Kafka broker answers at {NOWHERE}")
    assert len(errors.splitlines()) == 1


def test_what_the_system_refuses_is_no_traceback(vagitus, cry, tmp_path):
    status, _, errors = vagitus("embed", cry, "--out", f"/proc/{tmp_path.name}.npz")
    assert (status, len(errors.splitlines())) == (1, 1)
    assert errors.startswith("vagitus: ")


def test_whoever_stops_reading_sees_no_traceback(cry):
    with subprocess.Popen(
        [*PROGRAM, "score", *[str(cry)] * 3, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
