"""The command `vagitus-train ward`: what infants share, and how well it serves each of them."""

import click

from models.lazy_group import LazyGroup

COMMANDS = {
    "fit": "models.deviation.fit",
    "compare": "models.deviation.bench.compare",
    "drift": "models.deviation.bench.drifts",
    "poison": "models.deviation.bench.poison",
}


class _FitIfNothingElse(LazyGroup):
    """Takes `ward EMBEDDINGS` for `ward fit EMBEDDINGS`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        helps = set(ctx.help_option_names)
        if args and args[0] not in self.modules and not helps.intersection(args):
            args = ["fit", *args]
        return super().parse_args(ctx, args)


@click.group("ward", cls=_FitIfNothingElse, modules=COMMANDS)
def command() -> None:
    """Fit what all infants share, compare detectors, drift, poison: each measurement has its page.

    `ward EMBEDDINGS` is `ward fit EMBEDDINGS`.
    """
