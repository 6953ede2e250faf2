"""Taking the events of a stream one by one."""

from collections.abc import AsyncIterator

import faust


async def one_by_one(stream: faust.Stream) -> AsyncIterator[faust.Event]:
    """The events of a stream; each counts as dealt with once the next one is asked for.

    Faust's compiled iteration acknowledges past `Consumer.ack`: ours, which computes what may be
    committed, would never learn of it. So it is done here, as Faust's own `take` does.
    """
    stream.enable_acks = False
    async for event in stream.events():
        yield event
        message = event.message
        if event.ack():
            stream.app.sensors.on_message_out(message.tp, message.offset, message)
