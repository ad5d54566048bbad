"""A file of cases: `{"cases": [{"id", ...}]}` in, one answer or error a case out."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import typer

from domain.errors import DomainError
from domain.schedules.json_document import MissingMember, Node, parse_document

BAD_CASE, UNREADABLE = 1, 2


def read_cases(path: Path) -> list[Node]:
    """Read the cases of a file, or end with code 2."""
    try:
        document = parse_document(path.read_bytes())
        return document.members(("cases",), ("note", "meta"))["cases"].items()
    except (DomainError, OSError) as error:
        give_up("用例 cases", path, error)


def case_id(case: Node) -> str:
    """Return the id of a case.

    Raises:
        DomainError: When the case is no object or has no id.
    """
    members = case.entries()
    if "id" not in members:
        raise MissingMember(member="id").at(case.pointer)
    return members["id"].text()


def print_lines(results: Iterable[dict[str, Any]]) -> bool:
    """Print one compact JSON object a line, in UTF-8 whatever the locale; tell of failures."""
    failed = False
    for result in results:
        failed |= "error" in result
        line = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
        typer.echo(line.encode())
    return failed


def give_up(what: str, path: Path | None, error: DomainError | OSError) -> NoReturn:
    """Say in one line on stderr why a file cannot be used, and end with code 2."""
    if isinstance(error, DomainError):
        reason = f"{error.zh}{error}"
    else:
        reason = error.strerror or type(error).__name__
    typer.echo(f"vaxledger: {what} {path or ''}: {reason}", err=True)
    raise typer.Exit(UNREADABLE)
