"""`vagitus-train ward`: embeddings of many infants in, the ward that they share out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from models.deviation.check import cross_check
from models.deviation.population import WardError
from models.deviation.ward import DEFAULT_PATH, WardModel

# A recording this long after the last begins a new sitting: see WardModel.fit.
SITTING_GAP_SECONDS = 30 * 60
# The split whose infants the embedder knows.
TRAINED_SPLIT = "train"


@click.command("ward")
@click.argument("embeddings", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_PATH,
    show_default="models/weights/ward.safetensors",
    help="Where the ward model is written.",
)
@click.option(
    "--split",
    "splits",
    multiple=True,
    default=("train", "val"),
    show_default=True,
    help="Rows of these splits are used; repeat for more. `test` is for measuring.",
)
@click.option(
    "--check", is_flag=True, help="Print cross-validated figures instead of writing the model."
)
def command(embeddings: Path, out: Path, splits: tuple[str, ...], check: bool) -> None:
    """Fit what all infants share to EMBEDDINGS, an .npz file.

    It holds `embeddings` float [n, size], and n each of `infants` (names), `recorded_at` (ISO
    8601, UTC) and `splits`; and `embedder`, the version of what embedded them, which the worker
    compares with the embedder that it runs. An infant's recordings less than 30 minutes apart are
    one sitting; infants of other splits than `train` are taken as unknown to the embedder.
    """
    try:
        x, infants, sittings = read_rows(embeddings, splits)
        unseen = unseen_infants(embeddings, splits)
        if check:
            click.echo(str(cross_check(x, infants, sittings, unseen)))
            return
        ward = WardModel.fit(x, infants, sittings, unseen, read_embedder(embeddings))
    except (WardError, KeyError, OSError) as error:
        raise click.ClickException(f"{embeddings}: {error}") from error
    ward.save(out)
    low, median, high = np.percentile(ward.scores, [5, 50, 95])
    click.echo(
        f"{ward.version} for {ward.embedder_version}: {len(infants)} recordings of "
        f"{len(set(infants))} infants in {len(set(zip(infants, sittings, strict=True)))} sittings, "
        f"{ward.scores.size} pooled scores (5 % {low:.3f}, median {median:.3f}, "
        f"95 % {high:.3f}), {int(np.sum(ward.between > 0.1))} directions that tell infants apart"
    )


def read_embedder(path: Path) -> str:
    """The version of the embedder that made this file; raises KeyError if it names none."""
    with np.load(path, allow_pickle=False) as data:
        return str(data["embedder"])


def read_rows(
    path: Path, splits: tuple[str, ...]
) -> tuple[NDArray[np.float32], list[str], list[int]]:
    """Embeddings [n, size], infants and sittings of the chosen splits, in the order of time.

    Raises KeyError when an array is missing, WardError when nothing is left.
    """
    with np.load(path, allow_pickle=False) as data:
        x = data["embeddings"]
        infants = data["infants"].astype(str)
        order, seconds = _in_time(data, splits)
    sittings: list[int] = []
    last: dict[str, tuple[float, int]] = {}
    for infant, at_seconds in zip(infants[order], seconds, strict=True):
        before, sitting = last.get(infant, (-np.inf, -1))
        sitting += at_seconds - before >= SITTING_GAP_SECONDS
        last[infant] = (at_seconds, int(sitting))
        sittings.append(int(sitting))
    return x[order], [str(infant) for infant in infants[order]], sittings


def read_paths(path: Path, splits: tuple[str, ...]) -> list[str]:
    """The recordings' paths, in the order of `read_rows`; raises KeyError if it names none."""
    with np.load(path, allow_pickle=False) as data:
        return data["paths"].astype(str)[_in_time(data, splits)[0]].tolist()


def _in_time(
    data: Mapping[str, NDArray[Any]], splits: tuple[str, ...]
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Rows of the chosen splits in the order of time [n], and when they were recorded, in s [n]."""
    infants = data["infants"].astype(str)
    recorded = data["recorded_at"].astype(str)
    split = data["splits"].astype(str)
    if not len(data["embeddings"]) == len(infants) == len(recorded) == len(split):
        raise WardError("its arrays are not equally long")
    wanted = np.flatnonzero(np.isin(split, splits) & (infants != "") & (recorded != ""))
    if not wanted.size:
        raise WardError(f"no rows of the splits {', '.join(splits)}")
    # Naive and explicit UTC both occur; numpy takes the naive form.
    at = np.array([r.replace("Z", "").replace("+00:00", "") for r in recorded[wanted]])
    seconds = at.astype("datetime64[s]").astype(np.int64)
    order = np.argsort(seconds, kind="stable")
    return wanted[order], seconds[order]


def unseen_infants(path: Path, splits: tuple[str, ...]) -> set[str]:
    """Infants of the chosen splits that the embedder was not trained on."""
    try:
        others = tuple(split for split in splits if split != TRAINED_SPLIT)
        return set(read_rows(path, others)[1])
    except WardError:
        return set()
