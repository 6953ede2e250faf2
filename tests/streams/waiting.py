"""Waiting for what another task or process will bring about."""

import asyncio
from collections.abc import Callable

# Far more than any of it takes, on a machine that is busy with other tests.
WAIT_SECONDS = 120


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so; fails when it never is. The condition may block."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.1)
