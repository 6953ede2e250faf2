"""All stored rows as one page, `docs/detector/paper.md`: nothing on it is written by hand."""

from models.detector.paper.experiments import TABLES
from models.detector.paper.rows import Row
from models.detector.paper.tables import text_of

HEAD = """\
# The paper's tables on our corpus

Made by `vagitus-train detector paper page` from stored rows; do not edit. Each table is measured
by `vagitus-train detector paper TABLE`. What ships is trained otherwise
(`vagitus-train detector fit`); its figures stand in its card.

The system is that of Tan, Yao and Liu (2023), by its own recipe: SGD at 0.001 with momentum 0.9
over 60 epochs of batches of 32, tenfold decay every 20, no augmentation; 20,000 steps of batches
of 128 over bags (half of each kind). Where a row was trained for less, its last column says so.
A standalone classifier is that of its last epoch; of a network over bags the weights with the
highest AUC on `val` are kept, looked at every 200 steps. No row was chosen on `test`; but that the
last weights had learnt the bags by heart was seen there too, before the best ones were kept.

- The unit is a second. Every second of a recording of something else, and of a marked cry whose
  label is certain, counts.
- 5 s audios are recordings cut into pieces of five seconds (a remainder is a shorter piece),
  labelled by marks of single seconds. Untrimmed audios are whole recordings with the weak label of
  the manifest, unmarked cries among them, as bags of ten instances.
- `random`: two seconds of each piece, with their own labels. `mined`: the two with the highest
  scores of the network over bags of VGGish features, with the label of the piece.
  `mined-positive` mines the cries and draws the others, `mined-negative` the other way round.
- `5s-all`, `untrimmed-mined` ...: the bags, and the selection that the backbone was trained on.
- VGGish is a stand-in where the row's network says so: the published weights could not be had, so
  a quarter as wide a network was trained on what is heard in the recordings of split `train`.
"""
FLOOR = """\
- The paper's figures are of its own data, whose classes are balanced. Here {cries} of the {seconds}
  seconds of `{split}` are cries: who never hears a cry has an accuracy of {floor:.4f}.
"""
FOOT = """\
## How each row was made

| row | network | command | date | commit | machine | minutes |
| --- | --- | --- | --- | --- | --- | --- |
"""


def page_of(tables: dict[str, dict[str, Row]]) -> str:
    """The page of the stored rows, by table and name."""
    stored = [(table, row) for table, rows in tables.items() for row in rows.values()]
    parts = [HEAD]
    if stored:
        figures = stored[0][1].figures
        parts += [_floor(split, figures[split]) for split in ("val", "test")]
    parts += ["\n" + text_of(table, rows, TABLES[table][1]) for table, rows in tables.items()]
    origins = [_origin(table, row) for table, row in stored]
    return "".join([*parts, "\n", FOOT, *origins])


def _floor(split: str, figures: dict[str, float]) -> str:
    seconds, cries = figures["seconds"], figures["cries"]
    return FLOOR.format(cries=cries, seconds=seconds, split=split, floor=1 - cries / seconds)


def _origin(table: str, row: Row) -> str:
    made = row.made
    cells = (
        f"{table} {row.name}",
        f"`{row.settings.get('network', row.name)}`",
        f"`{made['command']}`",
        str(made["date"]),
        str(made["commit"]),
        f"{made['machine']}, {made['threads']} thread",
        f"{made['seconds'] / 60:.1f}",
    )
    return f"| {' | '.join(cells)} |\n"
