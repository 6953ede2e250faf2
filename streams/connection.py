"""How every client of the broker reaches it: one place for address and credentials."""

from streams.settings import Settings


def connection(settings: Settings) -> dict[str, object]:
    """The options with which aiokafka's clients are made."""
    return {"bootstrap_servers": settings.broker}
