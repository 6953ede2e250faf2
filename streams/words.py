"""Words of what is printed."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 day`, `2 days`; `plural` where it is not the noun with an s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def cries(number: int) -> str:
    """`1 cry`, `2 cries`."""
    return counted(number, "cry", "cries")
