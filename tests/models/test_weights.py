"""What every shipped file of weights owes to those who install it."""

import re
from pathlib import Path

import pytest

WEIGHTS = Path(__file__).parents[2] / "models" / "weights"
SHIPPED = sorted([*WEIGHTS.glob("*.onnx"), *WEIGHTS.glob("*.safetensors")])
# What absolute paths begin with or lead through, each too long for numbers to spell it by chance.
TRACES = re.compile(rb"/(?:home|root|work|Users|tmp)/|site-packages")


def test_there_are_weights_to_look_at():
    assert len(SHIPPED) >= 4


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_no_file_tells_of_the_machine_that_made_it(path):
    assert TRACES.findall(path.read_bytes()) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_file_has_a_card_whose_title_names_it(path):
    titles = [card.read_text().splitlines()[0] for card in WEIGHTS.glob("*.md")]
    named = [title for title in titles if re.search(rf"\b{re.escape(path.name)}\b", title)]
    assert len(named) == 1
