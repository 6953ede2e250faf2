"""When the brokers' own certificates end: asked of each, for connections that stand do not tell.

A broker that has renewed its certificate shows it to new connections only, and a worker's stand for
weeks.
"""

import asyncio
import logging
import ssl

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from prometheus_client import Gauge

from streams.kafka.certificates import decode
from streams.kafka.connection import connection
from streams.settings import Settings

logger = logging.getLogger(__name__)
# Days are at stake, not minutes.
EVERY_SECONDS = 3600.0
TIMEOUT_SECONDS = 10.0


async def broker_certificates(settings: Settings) -> dict[str, float | None]:
    """When the certificate of each broker of the cluster ends, by its host:port.

    Returns:
        seconds since 1970; None of one that shows none that is trusted. Nothing without TLS.

    Raises:
        KafkaError: no broker says which ones there are.
    """
    options = connection(settings)
    context = options.get("ssl_context")
    if context is None:
        return {}
    client = AIOKafkaClient(**options)
    try:
        await client.bootstrap()
        brokers = sorted((broker.host, broker.port) for broker in client.cluster.brokers())
    finally:
        await client.close()
    return {f"{host}:{port}": await shown_by(host, port, context) for host, port in brokers}


async def shown_by(host: str, port: int, context: ssl.SSLContext) -> float | None:
    """When the certificate that a server shows ends; None if it shows none that is trusted."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, TimeoutError) as error:
        logger.warning("When the certificate of %s:%s ends is not known: %s", host, port, error)
        return None
    try:
        return decode(writer.get_extra_info("ssl_object").getpeercert(binary_form=True)).ends_at
    except ValueError as error:
        logger.warning("What %s:%s shows as its certificate: %s", host, port, error)
        return None
    finally:
        writer.close()


def show(gauge: Gauge, found: dict[str, float | None], before: set[str]) -> set[str]:
    """Show what was found; returns of which brokers something is shown, as `before` were.

    What one has shown stays until it shows another, or leaves the cluster.
    """
    for gone in before - found.keys():
        gauge.remove(gone)
    told = {address: ends_at for address, ends_at in found.items() if ends_at is not None}
    for address, ends_at in told.items():
        gauge.labels(address).set(ends_at)
    return told.keys() | (before & found.keys())


async def show_broker_certificates(gauge: Gauge, settings: Settings) -> None:
    """Show when those of all brokers end, and look again now and then, until cancelled."""
    shown: set[str] = set()
    while settings.kafka_security != "plaintext":
        try:
            shown = show(gauge, await broker_certificates(settings), shown)
        except KafkaError as error:
            logger.warning("When the brokers' certificates end is not known: %s", error)
        await asyncio.sleep(EVERY_SECONDS)
