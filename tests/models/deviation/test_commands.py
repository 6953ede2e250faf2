import pytest
from click.testing import CliRunner

from models.deviation.commands import command


@pytest.mark.parametrize("name", ["fit", "compare", "drift", "poison"])
def test_each_command_explains_itself(name):
    result = CliRunner().invoke(command, [name, "--help"], help_option_names=["-h", "--help"])
    assert result.exit_code == 0
    assert name in result.output


def test_without_a_name_it_fits(tmp_path):
    """As the model's card has it: `ward EMBEDDINGS`."""
    result = CliRunner().invoke(command, [str(tmp_path / "missing.npz")])
    assert result.exit_code == 2
    assert "missing.npz" in result.output
    assert "does not exist" in result.output


def test_asked_for_help_it_names_its_commands():
    result = CliRunner().invoke(command, ["--help"])
    assert "compare" in result.output
    assert "drift" in result.output
