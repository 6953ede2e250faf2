"""Events in turn, but for those that take long: they let other keys' pass."""

import asyncio
from collections.abc import Awaitable, Callable

import faust
from faust.types import Message

Handle = Callable[[Message, asyncio.Event], Awaitable[None]]
"""Deals with a message; sets the event where that will take long."""


class Lanes:
    """Deals with the events of a stream; those of one key one after the other, always.

    What was dealt with is acknowledged by itself, out of turn: a commit ends before the first that
    was not (`offsets.Acknowledged`).
    """

    def __init__(self) -> None:
        self._busy: dict[bytes | None, asyncio.Task] = {}

    async def run(self, stream: faust.Stream, handle: Handle) -> None:
        """Consume a stream until the worker stops."""
        stream.enable_acks = False  # as `taking.one_by_one`
        try:
            async for event in stream.events():
                await self._turn(event, handle)
        finally:
            for task in self._busy.values():
                task.cancel()

    async def _turn(self, event: faust.Event, handle: Handle) -> None:
        """Until the event is dealt with, or takes long."""
        key, long = event.message.key, asyncio.Event()
        # A task has the context in which it was made: the event is the current one for tables.
        task = asyncio.create_task(self._take(event, handle, long, self._busy.get(key)))
        self._busy[key] = task
        task.add_done_callback(lambda done: self._leave(key, done))
        lets_pass = asyncio.create_task(long.wait())
        try:
            await asyncio.wait({task, lets_pass}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            lets_pass.cancel()

    def _leave(self, key: bytes | None, task: asyncio.Task) -> None:
        if self._busy.get(key) is task:
            del self._busy[key]

    async def _take(
        self, event: faust.Event, handle: Handle, long: asyncio.Event, before: asyncio.Task | None
    ) -> None:
        message, app = event.message, event.app
        if before is not None:
            long.set()
            await asyncio.wait({before})
            if message.generation_id != app.consumer_generation_id:
                app.consumer.pass_over(message)  # whoever owns the partition now reads it again
                return
        await handle(message, long)
        if event.ack():
            app.sensors.on_message_out(message.tp, message.offset, message)
