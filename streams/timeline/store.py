"""The timeline's store: SQLite in a file, or PostgreSQL.

SQLite is for one machine: its workers share the file in their `state_dir`. Workers on several
machines need one PostgreSQL.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection, Engine, Table, delete, event, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from streams.errors import TimelineError
from streams.records.deviation import DeviationRecord
from streams.settings import Settings
from streams.timeline.acts import Act
from streams.timeline.tables import ACTS, CRIES, MOMENTS, Row, checked, prepare, table_of

FILE_NAME = "timeline.sqlite3"
# Another worker of this machine may be writing; a batch takes milliseconds.
SQLITE_WAIT_SECONDS = 20
# A server that does not answer must not hold a thread for the minutes that TCP would wait.
CONNECT_SECONDS = 10
ANSWER_MS = 30_000
# Rows a fetch: an export of a whole ward must not fill the memory.
FETCH_ROWS = 1000
_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def timeline_url(settings: Settings) -> str:
    """Where the timeline is, as it is set: a SQLAlchemy URL."""
    return settings.timeline_url or f"sqlite:///{settings.state_dir / FILE_NAME}"


class TimelineStore:
    """Rows in, rows out; whatever is written twice is there once.

    Its methods block: call them from a thread where an event loop runs. It connects when it is
    first asked for something, and again after a connection broke.

    Args:
        url: `sqlite:///FILE` or `postgresql://…`; a file is made with its first rows.

    Raises:
        TimelineError: the URL cannot be used, or its driver is not installed. Every method raises
            it too, when the store cannot be reached or refuses.
    """

    def __init__(self, url: str) -> None:
        self._url = _parse(url)
        self._file = Path(self._url.database or "") if self._url.drivername == "sqlite" else None
        self._engine = _engine(self._url)
        self._prepared = False

    @property
    def address(self) -> str:
        """Where it is, without a password."""
        return str(self._file or self._url.render_as_string(hide_password=True))

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows, all or none; one that is there already, by its id, is written over.

        Raises:
            RefusedMessage: one holds what cannot be stored; none is written.
        """
        values: dict[Table, list[dict[str, object]]] = {}
        for row in rows:
            values.setdefault(table_of(row), []).append(checked(row))
        with self._writing() as connection:
            for table, columns in values.items():
                connection.execute(_upsert(table, self._engine.dialect.name), columns)

    def cries(
        self, infant: str | None = None, since_ms: int | None = None, until_ms: int | None = None
    ) -> Iterator[DeviationRecord]:
        """Cries in time order, from `since_ms` to before `until_ms`; without `infant` all."""
        return (DeviationRecord(*row) for row in self._rows(CRIES, infant, since_ms, until_ms))

    def acts(
        self, infant: str | None = None, since_ms: int | None = None, until_ms: int | None = None
    ) -> Iterator[Act]:
        """Acts of staff, as `cries`."""
        return (Act(*row) for row in self._rows(ACTS, infant, since_ms, until_ms))

    def infants(self) -> dict[str, tuple[int, int, int]]:
        """By infant: how many cries, and when the first and the last began, ms since 1970 UTC."""
        moment = CRIES.c.started_at_ms
        columns = (CRIES.c.infant, func.count(), func.min(moment), func.max(moment))
        query = select(*columns).group_by(CRIES.c.infant).order_by(CRIES.c.infant)
        with self._reading() as connection:
            return {name: (n, first, last) for name, n, first, last in connection.execute(query)}

    def prune(self, before_ms: int) -> int:
        """Remove what was before a moment (ms since 1970 UTC); returns how many rows that were."""
        with self._writing() as connection:
            return sum(
                connection.execute(delete(table).where(moment < before_ms)).rowcount
                for table, moment in MOMENTS.items()
            )

    def close(self) -> None:
        """Let go of the connections; what is asked afterwards opens new ones."""
        self._engine.dispose()

    def _rows(
        self, table: Table, infant: str | None, since_ms: int | None, until_ms: int | None
    ) -> Iterator[sqlalchemy.Row]:
        moment = MOMENTS[table]
        query = select(table).order_by(moment, table.c.id)
        if infant is not None:
            query = query.where(table.c.infant == infant)
        if since_ms is not None:
            query = query.where(moment >= since_ms)
        if until_ms is not None:
            query = query.where(moment < until_ms)
        with self._reading() as connection:
            yield from connection.execution_options(yield_per=FETCH_ROWS).execute(query)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._file is not None and not self._prepared:
            with self._errors():
                self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._errors(), self._engine.begin() as connection:
            self._prepare(connection)
            yield connection

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        if self._file is not None and not self._file.exists():
            raise TimelineError(
                f"There is no timeline at {self._file} yet: the first cry that a worker hears "
                "makes it. Is VAGITUS_STATE_DIR or VAGITUS_TIMELINE_URL the worker's?"
            )
        with self._errors(), self._engine.connect() as connection:
            self._prepare(connection)
            connection.commit()
            yield connection

    def _prepare(self, connection: Connection) -> None:
        if not self._prepared:
            prepare(connection)
            self._prepared = True

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            # Whoever comes back may find another database: one that was restored, or made anew.
            self._prepared = False
            said = str(getattr(error, "orig", None) or error).strip().splitlines() or [repr(error)]
            raise TimelineError(
                f"The timeline at {self.address} does not answer ({said[0]}): check that it is "
                "there and open to this user, and VAGITUS_TIMELINE_URL."
            ) from error


def _upsert(table: Table, dialect: str) -> sqlalchemy.Insert:
    statement = _INSERTS.get(dialect, insert)(table)
    new = {column.name: column for column in statement.excluded if column.name != "id"}
    return statement.on_conflict_do_update(index_elements=[table.c.id], set_=new)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise TimelineError(
            "The timeline is named by a URL: sqlite:///FILE or postgresql://…"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database:
        return parsed.set(drivername="sqlite")
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise TimelineError(
        f"A timeline cannot be kept in {parsed.render_as_string(hide_password=True)}: "
        "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."
    )


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        engine = sqlalchemy.create_engine(url, connect_args={"timeout": SQLITE_WAIT_SECONDS})
        event.listen(engine, "connect", _tune_sqlite)
        return engine
    limits = {
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": ANSWER_MS,
        "application_name": "vagitus",
    }
    try:
        return sqlalchemy.create_engine(
            url, connect_args=limits, pool_pre_ping=True, pool_size=2, max_overflow=2
        )
    except (ImportError, NoSuchModuleError):
        raise TimelineError(
            "The driver for PostgreSQL is missing: pip install 'vagitus[postgres]'."
        ) from None


def _tune_sqlite(connection, _record) -> None:
    # Readers and the writer do not wait for each other; and a commit is on the disk when it
    # returns, for the offsets that follow it will not come again.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
