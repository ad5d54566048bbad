"""Commands in the documents: each exists, and takes what it is shown with."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from typer import Context
from typer.exceptions import TyperException
from typer.main import get_command

from cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *ROOT.glob("examples/*/README.md")]
SHELL = re.compile(r"^```sh[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4,}(?:\S+=\S+ )*(vaxledger .*)$", re.MULTILINE)
SPOKEN = re.compile(r"`(vaxledger [a-z][^`]*)`")
LEFT_OUT = {"...", "…"}
"""What stands for everything that the reader fills in."""


def lines_of(text: str) -> Iterator[str]:
    """Every command line of a page, continued lines joined."""
    for block in SHELL.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip().startswith("vaxledger "):
                yield line.strip()
    yield from INDENTED.findall(text)


def words_of(line: str) -> list[str]:
    """The words of the command alone, without what its output goes into."""
    words = shlex.split(line, comments=True)[1:]
    return list(takewhile(lambda word: word not in {">", "|", "&"}, words))


@cache
def commands() -> tuple[Any, Context]:
    command = get_command(app)
    return command, Context(command, info_name="vaxledger")


def check(words: list[str]) -> None:
    """Parse a command line as the command itself would.

    Raises:
        UsageError: there is no such command, option or value, or something is missing.
    """
    (command, context), names = commands(), list(words)
    while hasattr(command, "get_command"):
        name = names.pop(0)
        found = command.get_command(context, name)
        if found is None:
            raise TyperException(f"no command {name}")
        command = found
    if LEFT_OUT & set(names):
        shown = [word for word in names if word.startswith("--")]
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(shown) <= known, f"{shown} of {words}"
        return
    parser = command.make_parser(Context(command, info_name="x"))
    values, rest, _ = parser.parse_args(names)
    assert rest == [], f"{rest} is too much"
    missing = [
        parameter.name
        for parameter in command.params
        if parameter.required and values.get(parameter.name) is None
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_is_one(page: Path):
    wrong = []
    for line in lines_of(page.read_text(encoding="utf-8")):
        try:
            check(words_of(line))
        except (TyperException, AssertionError, IndexError) as error:
            wrong.append((line, str(error)))
    assert wrong == []


def test_commands_that_a_sentence_names_exist():
    """`vaxledger log recover` in a sentence: the words that are not options or values."""
    wrong = []
    for page in PAGES:
        for spoken in SPOKEN.findall(page.read_text(encoding="utf-8").replace("\n", " ")):
            command, context = commands()
            for word in re.split(r"[ |]", spoken)[1:]:
                if not hasattr(command, "get_command") or not re.fullmatch("[a-z-]+", word):
                    break
                found = command.get_command(context, word)
                if found is None:
                    wrong.append((page.name, spoken))
                    break
                command = found
    assert wrong == []


def test_a_wrong_command_would_be_found():
    for words in (["vrfy"], ["verify"], ["verify", "X", "--nope"], ["log", "export", "A", "B"]):
        with pytest.raises((TyperException, AssertionError)):
            check(words)
