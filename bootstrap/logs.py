"""Structured logs: one JSON object a line on stderr, with an allow-list of keys.

Personal data cannot leak through a key nobody thought of: what is not in `ALLOWED_KEYS` is
dropped, values are scalars of bounded length, exceptions are named by class and place without
their text (a database puts row values into it), and messages of libraries are logged as their
template, without its arguments.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any, TextIO, cast
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

ALLOWED_KEYS = frozenset(
    {
        "attempt",
        "code",
        "consumer",
        "count",
        "duplicates",
        "error",
        "event",
        "failures",
        "first_position",
        "kind",
        "lag",
        "last_position",
        "level",
        "logger",
        "method",
        "module",
        "name",
        "organisation",
        "origin",
        "part",
        "path",
        "pid",
        "position",
        "projection",
        "queue",
        "reason",
        "request_id",
        "role",
        "route",
        "seconds",
        "sequence",
        "signal",
        "size",
        "status",
        "stream",
        "timestamp",
        "topic",
        "url",
        "version",
        "where",
        "witness",
        "worker",
    }
)
_LONGEST_VALUE_CHARACTERS = 300
_INNERMOST_FRAMES = 5
_MOST_THINGS = 1_000
"""That libraries say, of which it is remembered when they were said."""


def configure_logging(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging to `stream` (stderr) as JSON lines.

    Loggers are made as `structlog.get_logger("publisher")`; events are short names with facts.
    Of libraries, warnings and errors are kept.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        stream: where to; stderr unless given.
    """
    target = stream or cast("TextIO", _StandardError())
    threshold = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[structlog.processors.add_log_level, _add_name, *_SHARED],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *names: _NamedLogger(target, *names),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(_LibraryFormatter())
    handler.addFilter(OnceASecond())
    handler.addFilter(means_something)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))


def log_unexpected_ends() -> None:
    """Let what nobody catches, in any thread, be one line of the log; its text stays unsaid.

    For the processes of a service. Its exit status stays the interpreter's, 1.
    """
    log = structlog.get_logger("process")

    def process(
        kind: type[BaseException], error: BaseException, _trace: TracebackType | None
    ) -> None:
        log.critical("ended-unexpectedly", exc_info=(kind, error, error.__traceback__))

    def thread(given: threading.ExceptHookArgs) -> None:
        if given.exc_type is not SystemExit:
            log.critical("thread-ended-unexpectedly", exc_info=given.exc_value)

    sys.excepthook, threading.excepthook = process, thread


def means_something(record: logging.LogRecord) -> bool:
    """Whether a record of a library says anything.

    Asyncio complains whenever NATS ends a connection over TLS: its client has not told the reader
    of the TLS beneath it.
    """
    return not str(record.msg).startswith("returning true from eof_received()")


class _StandardError:
    """Standard error as it is when a line is written: whoever runs a command may have lent it.

    A line that finds no room, on a full disk, ends nobody.
    """

    def write(self, text: str) -> int:
        with suppress(OSError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


class _NamedLogger(structlog.WriteLogger):
    """Writes lines; remembers the name it was made with."""

    def __init__(self, file: TextIO, name: str | None = None) -> None:
        super().__init__(file)
        self.name = name


def _add_name(logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if logger.name is not None:
        event["logger"] = logger.name
    return event


def name_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its class (`error`) and its innermost places (`where`)."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    exception = given[1] if isinstance(given, tuple) else given
    if isinstance(exception, BaseException):
        frames = [
            f"{Path(frame.f_code.co_filename).name}:{line}"
            for frame, line in walk_tb(exception.__traceback__)
        ]
        event["error"] = type(exception).__qualname__
        event["where"] = " > ".join(frames[-_INNERMOST_FRAMES:])
    return event


def drop_unlisted(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep the listed keys with scalar values; text is cut to 300 characters."""
    return {key: _scalar(value) for key, value in event.items() if key in ALLOWED_KEYS}


def _scalar(value: object) -> str | int | float | bool | None:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | UUID | Path | Enum):
        return str(value)[:_LONGEST_VALUE_CHARACTERS]
    return type(value).__qualname__


_SHARED: list[Processor] = [
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    name_exception,
    drop_unlisted,
    structlog.processors.JSONRenderer(ensure_ascii=False),
]


class OnceASecond(logging.Filter):
    """Lets a library say the same thing once a second.

    Of every request that it cannot parse the server says so: whoever sends many would fill the log.
    What was left out is counted in `count` of the next line, that line included.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written."""
        thing, now = (record.name, str(record.msg)), self._clock()
        said_at, left_out = self._said.pop(thing, (-1.0, 0))
        is_said = said_at < 0 or now - said_at >= 1
        self._said[thing] = (now, 0) if is_said else (said_at, left_out + 1)
        if len(self._said) > _MOST_THINGS:
            del self._said[next(iter(self._said))]
        if is_said and left_out:
            record.count = left_out + 1
        return is_said


class _LibraryFormatter(logging.Formatter):
    """Formats what libraries log: the template of the message without its arguments."""

    def format(self, record: logging.LogRecord) -> str:
        event: Any = {
            "event": str(record.msg),
            "level": record.levelname.lower(),
            "logger": record.name,
            "exc_info": record.exc_info,
        }
        if hasattr(record, "count"):
            event["count"] = record.count
        for processor in _SHARED:
            event = processor(None, record.levelname, event)
        return str(event)
