import contextlib
import io
import json
import logging
import sys
import threading

import pytest
import structlog

from bootstrap.logs import OnceASecond, configure_logging, log_unexpected_ends


@pytest.fixture
def as_before():
    root = logging.getLogger()
    before, configured = (root.handlers[:], root.level), structlog.get_config()
    yield
    structlog.configure(**configured)
    root.handlers[:], root.level = before


@pytest.fixture
def lines(as_before):
    stream = io.StringIO()
    configure_logging("INFO", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def fail_with(message):
    raise ValueError(message)


def test_listed_keys_are_logged_and_unlisted_ones_dropped(lines):
    structlog.get_logger("publisher").info("batch-sent", count=500, name_of_child="王小明")
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "batch-sent", "count": 500, "level": "info", "logger": "publisher"}


def test_an_exception_is_named_by_class_and_place_without_its_text(lines):
    try:
        fail_with("Key (name)=(王小明) already exists")
    except ValueError:
        structlog.get_logger("writer").exception("append-failed")
    (line,) = lines()
    assert line["error"] == "ValueError"
    assert "test_logs.py:" in line["where"]
    assert "王小明" not in json.dumps(line, ensure_ascii=False)


def test_what_nobody_catches_is_named_without_its_text(lines, monkeypatch):
    for module in (sys, threading):
        monkeypatch.setattr(module, "excepthook", module.excepthook)
    log_unexpected_ends()
    try:
        fail_with("Key (name)=(王小明) already exists")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    thread = threading.Thread(target=fail_with, args=("Key (name)=(王小明)",))
    thread.start()
    thread.join()
    whole, of_a_thread = lines()
    assert (whole["event"], whole["error"]) == ("ended-unexpectedly", "ValueError")
    assert (of_a_thread["event"], of_a_thread["error"]) == (
        "thread-ended-unexpectedly",
        "ValueError",
    )
    assert "test_logs.py:" in of_a_thread["where"]
    assert "王小明" not in json.dumps([whole, of_a_thread], ensure_ascii=False)


def test_what_asyncio_says_of_every_connection_to_nats_is_left_out(lines):
    logging.getLogger("asyncio").warning(
        "returning true from eof_received() has no effect when using ssl"
    )
    logging.getLogger("asyncio").warning("socket.send() raised exception.")
    assert [line["event"] for line in lines()] == ["socket.send() raised exception."]


def test_a_librarys_warning_is_logged_without_its_arguments(lines):
    logging.getLogger("some.library").info("nothing")
    try:
        fail_with("王小明")
    except ValueError:
        logging.getLogger("some.library").warning("no %s", "王小明", exc_info=sys.exc_info())
    (line,) = lines()
    assert (line["event"], line["logger"], line["error"]) == ("no %s", "some.library", "ValueError")
    assert "王小明" not in json.dumps(line, ensure_ascii=False)


def test_a_library_says_the_same_thing_once_a_second():
    seconds = iter([5.0, 5.1, 5.2, 5.3, 6.0, 6.1])
    rarely = OnceASecond(lambda: next(seconds))
    records = [
        logging.makeLogRecord({"name": "server", "msg": text})
        for text in ("no request", "no request", "no upgrade", "no request", "no request")
    ]
    assert [rarely.filter(record) for record in records] == [True, False, True, False, True]
    assert [getattr(record, "count", 1) for record in records] == [1, 1, 1, 1, 3]


def test_how_often_a_library_said_it_is_logged(lines):
    for _ in range(200):
        logging.getLogger("some.server").warning("no request")
    assert len(lines()) < 200


def test_values_are_scalars_of_bounded_length(lines):
    structlog.get_logger().info("x", reason="字" * 1000, size={"secret": 1}, status=None)
    (line,) = lines()
    assert len(line["reason"]) == 300
    assert line["size"] == "dict"
    assert line["status"] is None


def test_below_the_level_nothing_is_written(lines):
    structlog.get_logger().debug("quiet")
    assert lines() == []


@pytest.mark.usefixtures("as_before")
def test_a_process_that_got_its_standard_error_back_writes_there(capsys):
    lent = io.StringIO()
    with contextlib.redirect_stderr(lent):
        configure_logging()
        structlog.get_logger("publisher").info("lent")
    lent.close()
    structlog.get_logger("publisher").info("given-back")
    logging.getLogger("library").warning("as well")
    said = capsys.readouterr().err
    assert "given-back" in said
    assert "as well" in said


@pytest.mark.usefixtures("as_before")
def test_a_line_that_finds_no_room_ends_nobody():
    full = io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True)
    with contextlib.redirect_stderr(full):
        configure_logging()
        structlog.get_logger("publisher").info("lost")
        logging.getLogger("library").error("lost as well")
    full.close()
