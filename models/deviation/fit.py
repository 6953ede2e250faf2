"""`vagitus-train ward`: embeddings of many infants in, the ward that they share out."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from models.deviation.population import WardError
from models.deviation.ward import DEFAULT_PATH, WardModel

# Recordings minutes apart share a room, a phone and a fit of crying: as pairs they would make one
# infant's cries look more alike than they are from one day to the next.
SESSION_SECONDS = 30 * 60


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
def command(embeddings: Path, out: Path, splits: tuple[str, ...]) -> None:
    """Fit what all infants share to EMBEDDINGS, an .npz file.

    It holds `embeddings` float [n, size], and n each of `infants` (names), `recorded_at` (ISO
    8601, UTC) and `splits`. Of recordings less than 30 minutes apart, the first is taken.
    """
    try:
        x, infants = read_rows(embeddings, splits)
        ward = WardModel.fit(x, infants)
    except (WardError, KeyError, OSError) as error:
        raise click.ClickException(f"{embeddings}: {error}") from error
    ward.save(out)
    low, median, high = np.percentile(ward.scores, [5, 50, 95])
    click.echo(
        f"{ward.version}: {len(infants)} recordings of {len(set(infants))} infants, "
        f"{ward.scores.size} pooled scores (5 % {low:.3f}, median {median:.3f}, "
        f"95 % {high:.3f}), {int(np.sum(ward.between > 0.1))} directions that tell infants apart"
    )


def read_rows(
    path: Path, splits: tuple[str, ...], apart_seconds: float = SESSION_SECONDS
) -> tuple[NDArray[np.float32], list[str]]:
    """Embeddings [n, size] and infants of the chosen splits, one row a sitting.

    Raises KeyError when an array is missing, WardError when nothing is left.
    """
    with np.load(path, allow_pickle=False) as data:
        x = data["embeddings"]
        infants = data["infants"].astype(str)
        recorded = data["recorded_at"].astype(str)
        split = data["splits"].astype(str)
    if not len(x) == len(infants) == len(recorded) == len(split):
        raise WardError("its arrays are not equally long")
    wanted = np.flatnonzero(np.isin(split, splits) & (infants != "") & (recorded != ""))
    # Naive and explicit UTC both occur; numpy takes the naive form.
    at = np.array([r.replace("Z", "").replace("+00:00", "") for r in recorded[wanted]])
    seconds = at.astype("datetime64[s]").astype(np.int64) if wanted.size else np.array([])
    kept: list[int] = []
    last: dict[str, float] = {}
    for i in np.argsort(seconds, kind="stable"):
        infant = str(infants[wanted[i]])
        if seconds[i] - last.get(infant, -np.inf) >= apart_seconds:
            last[infant] = seconds[i]
            kept.append(int(wanted[i]))
    if not kept:
        raise WardError(f"no rows of the splits {', '.join(splits)}")
    return x[kept], [str(infants[i]) for i in kept]
