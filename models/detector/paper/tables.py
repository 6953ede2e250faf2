"""The stored rows as Markdown: the paper's tables, its figures beside ours."""

from collections.abc import Callable

from models.detector.paper.rows import Row

Columns = dict[str, Callable[[Row], str]]


def _figure(*path: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        value = row.figures
        for key in path:
            value = value[key]
        return f"{value:.4f}"

    return cell


def _accuracies() -> Columns:
    return {
        "val accuracy": _figure("val", "accuracy"),
        "test accuracy": _figure("test", "accuracy"),
        "val AUC": _figure("val", "auc"),
        "test AUC": _figure("test", "auc"),
    }


def _published(figures: dict[str, tuple[float, float]]) -> Columns:
    def cell(row: Row) -> str:
        val, test = figures[row.name]
        return f"{val:.4f} / {test:.4f}"

    return {"paper (its own data), val / test": cell}


# Title and columns of each table; the paper prints no figures for its comparison of backbones.
COLUMNS: dict[str, tuple[str, Columns]] = {
    "backbones": (
        "Backbones as standalone classifiers",
        _accuracies()
        | {
            "parameters": lambda row: f"{row.figures['parameters']:,}",
            "multiply-adds": lambda row: f"{row.figures['multiply_adds'] / 1e6:.1f} M",
            "ms a second of sound": lambda row: f"{row.figures['milliseconds']:.2f}",
        },
    ),
    "table2": (
        "Table 2: multiple-instance learning on VGGish features",
        _accuracies() | _published({"5s": (0.9447, 0.9312), "untrimmed": (0.9370, 0.9223)}),
    ),
    "table3": (
        "Table 3: the standalone classifier by its training data",
        _accuracies()
        | _published(
            {
                "all": (0.8868, 0.8820),
                "random": (0.8784, 0.8654),
                "mined": (0.8609, 0.8542),
                "mined-positive": (0.8748, 0.8562),
                "mined-negative": (0.8748, 0.8622),
                "mined-untrimmed": (0.8142, 0.8292),
            }
        ),
    ),
    "table4": (
        "Table 4: multiple-instance learning on the classifier's features",
        _accuracies()
        | _published(
            {
                "5s-all": (0.9457, 0.9302),
                "untrimmed-all": (0.9141, 0.9020),
                "untrimmed-mined": (0.8652, 0.8473),
            }
        ),
    ),
    "table5": (
        "Table 5: standalone against multiple-instance, at the threshold of the best F1",
        {
            "best F1 (test)": _figure("test", "best_f1"),
            "its threshold": _figure("test", "best_threshold"),
            "test accuracy there": _figure("test", "accuracy_there"),
            "test AUC": _figure("test", "auc"),
        }
        | {
            "paper: F1, accuracy": lambda row: {
                "5s-standalone": "0.8873, 0.8836",
                "5s-anomaly": "0.9241, 0.9305",
                "untrimmed-anomaly": "0.9306, 0.9360",
            }[row.name]
        },
    ),
    "networks": (
        "Losses and refinements over bags of 5 s on the features of `all`",
        _accuracies() | {"test best F1": _figure("test", "best_f1")},
    ),
}


def text_of(table: str, rows: dict[str, Row], order: tuple[str, ...]) -> str:
    """A table in Markdown: the rows there are, in the order of the paper."""
    title, columns = COLUMNS[table]
    lines = [
        f"## {title}",
        "",
        f"| | {' | '.join(columns)} | trained |",
        "| --- " * (len(columns) + 2) + "|",
    ]
    for name in order:
        if name in rows:
            cells = [cell(rows[name]) for cell in columns.values()]
            lines.append(f"| {name} | {' | '.join(cells)} | {_length(rows[name])} |")
    missing = [name for name in order if name not in rows]
    if missing:
        lines += ["", f"Not measured yet: {', '.join(missing)}."]
    return "\n".join([*lines, ""])


def _length(row: Row) -> str:
    kinds = ("epochs", "steps")
    return ", ".join(f"{row.settings[kind]:,} {kind}" for kind in kinds if kind in row.settings)
