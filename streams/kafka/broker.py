"""The embedded broker: a Kafka-speaking cluster inside this process, for trying out and tests.

It is librdkafka's built-in cluster, from the confluent-kafka wheel (`pip install vagitus[demo]`),
behind a small forwarder that gives it a port of our choice. Everything is in memory and gone when
the process ends. What it does and does not, measured with librdkafka 2.16.0 and aiokafka 0.14.0:

- headers, commits with a metadata string (kept as they are), groups, seek, end offsets: yes;
- retention: the newest 5.2 MB of each partition, whether consumed or not;
- size of a message: not limited (1.9 MB is taken), Apache Kafka's default refuses above 1 MiB;
- `offsets_for_times`: always None; producing answers with a constant timestamp;
- creating topics through an admin client: no, use `EmbeddedBroker.create_topic`; a topic that is
  first mentioned by a client comes into being with 4 partitions;
- topic settings (retention, compaction): none.
"""

import asyncio
import ctypes
import importlib.util
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from streams.errors import BrokerError

HOST = "127.0.0.1"
# The cluster waits this long for more members before a new group's first assignment; its own
# default of 3 s only makes a trial slow.
FIRST_REBALANCE_DELAY_MS = 200
# The cluster refuses a follower whose SyncGroup comes after the leader's (InvalidRequest, which
# ends an aiokafka consumer); Apache Kafka takes them in any order. Holding back the leader's lets
# the followers of one machine go first.
LEADER_SYNC_DELAY_SECONDS = 0.5
SYNC_GROUP = 14  # api key in Kafka's protocol
FIRST_FLEXIBLE_SYNC_GROUP = 4  # from this version on strings and arrays are coded otherwise
TOPIC_ALREADY_EXISTS = 36
PRODUCER = 0  # RD_KAFKA_PRODUCER
BROKER_ID = 1
ERROR_BYTES = 512
START_SECONDS = 10

_Result = TypeVar("_Result")


class EmbeddedBroker:
    """One in-memory broker on a loopback port; use it as a context manager.

    Args:
        port: where to listen on 127.0.0.1; 0 takes a free port.

    Raises:
        BrokerError: confluent-kafka is not installed, or the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._library: ctypes.CDLL | None = None
        self._client: int | None = None
        self._cluster: int | None = None
        self._forwarder: _Forwarder | None = None

    @property
    def address(self) -> str:
        """Bootstrap address, `127.0.0.1:port`; known once the broker has started."""
        if self._forwarder is None:
            raise BrokerError("The embedded broker is not running.")
        return f"{HOST}:{self._forwarder.port}"

    def start(self) -> None:
        """Start; returns once clients can connect."""
        if self._client is not None:
            raise BrokerError("The embedded broker is running already.")
        library = self._library = _load_librdkafka()
        error = ctypes.create_string_buffer(ERROR_BYTES)
        conf = library.rd_kafka_conf_new()
        # The client only carries the cluster: that it has no servers is nothing to warn about.
        library.rd_kafka_conf_set(conf, b"log_level", b"0", error, ERROR_BYTES)
        self._client = library.rd_kafka_new(PRODUCER, conf, error, ERROR_BYTES)
        if not self._client:
            raise BrokerError(f"The embedded broker did not start: {error.value.decode()}.")
        self._cluster = library.rd_kafka_mock_cluster_new(self._client, 1)
        if not self._cluster:
            self.stop()
            raise BrokerError("The embedded broker did not start: librdkafka gave no cluster.")
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(
            self._cluster, FIRST_REBALANCE_DELAY_MS
        )
        inner = library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        try:
            self._forwarder = _Forwarder(self._port, int(inner.rpartition(":")[2]))
        except OSError as failure:
            self.stop()
            raise BrokerError(
                f"The embedded broker cannot listen on {HOST}:{self._port} "
                f"({failure.strerror or failure}): choose another port."
            ) from None
        library.rd_kafka_mock_broker_set_host_port(
            self._cluster, BROKER_ID, HOST.encode(), self._forwarder.port
        )

    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic; raises BrokerError where it exists already or the name is refused."""
        if self._cluster is None or self._library is None:
            raise BrokerError("The embedded broker is not running.")
        code = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        if code == TOPIC_ALREADY_EXISTS:
            raise BrokerError(f"Topic {name} exists already.")
        if code:
            reason = self._library.rd_kafka_err2str(code).decode()
            raise BrokerError(f"The embedded broker refused topic {name}: {reason}.")

    def stop(self) -> None:
        """Stop, and drop all that it holds; stopping twice is harmless."""
        if self._forwarder is not None:
            self._forwarder.close()
            self._forwarder = None
        if self._cluster and self._library:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._cluster = None
        if self._client and self._library:
            self._library.rd_kafka_destroy(self._client)
        self._client = None

    def __enter__(self) -> "EmbeddedBroker":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Forwarder:
    """Passes bytes between a port of ours and the cluster's own, in a thread of its own."""

    def __init__(self, port: int, inner_port: int) -> None:
        self._inner_port = inner_port
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="embedded-broker", daemon=True
        )
        self._thread.start()
        try:
            self._server = self._run(asyncio.start_server(self._serve, HOST, port))
        except OSError:
            self._end_loop()
            raise
        self.port: int = self._server.sockets[0].getsockname()[1]

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_SECONDS)

    def close(self) -> None:
        """Drop every connection and end the thread."""
        self._run(self._close())
        self._end_loop()

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        inner_writer = None
        # A client that is killed resets its connection: its own end, and nobody else's concern.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                inner_reader, inner_writer = await asyncio.open_connection(HOST, self._inner_port)
                ways = (
                    asyncio.ensure_future(_pass_requests(reader, inner_writer)),
                    asyncio.ensure_future(_pass_answers(inner_reader, writer)),
                )
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)
            finally:
                writer.close()
                if inner_writer is not None:
                    inner_writer.close()
                self._tasks.discard(task)


async def _pass_requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        size = await reader.readexactly(4)
        request = await reader.readexactly(int.from_bytes(size, "big"))
        if _is_leaders_sync(request):
            await asyncio.sleep(LEADER_SYNC_DELAY_SECONDS)
        writer.write(size + request)
        await writer.drain()


async def _pass_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while answer := await reader.read(1 << 16):
        writer.write(answer)
        await writer.drain()


def _is_leaders_sync(request: bytes) -> bool:
    """Whether a request is a SyncGroup that carries assignments, which only the leader sends."""
    if len(request) < 8:
        return False
    key, version = struct.unpack_from(">hh", request)
    if key != SYNC_GROUP or version >= FIRST_FLEXIBLE_SYNC_GROUP:
        return False
    at = _after_string(request, 8)  # client id
    at = _after_string(request, at) + 4  # group id, generation
    at = _after_string(request, at)  # member id
    if version >= 3:
        at = _after_string(request, at)  # group instance id
    return at + 4 <= len(request) and struct.unpack_from(">i", request, at)[0] > 0


def _after_string(request: bytes, at: int) -> int:
    """Where a string of Kafka's protocol ends: 16-bit length (negative for null), then bytes."""
    if at + 2 > len(request):
        return len(request)
    return at + 2 + max(0, struct.unpack_from(">h", request, at)[0])


def _load_librdkafka() -> ctypes.CDLL:
    """The librdkafka that the confluent-kafka wheel carries, with the signatures used here."""
    spec = importlib.util.find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        raise BrokerError("The embedded broker needs confluent-kafka: pip install vagitus[demo].")
    package = Path(spec.origin).parent
    # Wheels for Linux keep their libraries beside the package, those for macOS within it.
    places = (package.parent / "confluent_kafka.libs", package / ".dylibs")
    found = [path for place in places for path in sorted(place.glob("librdkafka*"))]
    if not found:
        raise BrokerError(
            "This confluent-kafka carries no librdkafka (was it built from source?): "
            "install its wheel, or use a Kafka broker."
        )
    library = ctypes.CDLL(str(found[0]))
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (number, [pointer, text, text, text, ctypes.c_size_t]),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_err2str": (text, [number]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_host_port": (number, [pointer, ctypes.c_int32, text, number]),
    }
    try:
        for name, (result, arguments) in signatures.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as error:
        raise BrokerError(f"This confluent-kafka is of another version: {error}.") from None
    return library
