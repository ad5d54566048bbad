"""The data set as typed values, for the demo and whoever else submits it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from examples.kaifeng.rows import (
    Check,
    Child,
    Claim,
    Correction,
    Division,
    DoseLine,
    Enrolment,
    Grant,
    Json,
    Organisation,
    RecordLine,
)

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Dataset:
    """The files of one folder, each read when first asked for."""

    folder: Path = FOLDER

    @cached_property
    def divisions(self) -> tuple[Division, ...]:
        """Divisions, each after the one above."""
        return tuple(Division(**line) for line in self._document("divisions.json"))

    @cached_property
    def organisations(self) -> tuple[Organisation, ...]:
        """Organisations, each after the one above."""
        lines = self._document("organisations.json")
        return tuple(Organisation(UUID(line["organisation"]), line["data"]) for line in lines)

    @cached_property
    def children(self) -> tuple[Child, ...]:
        """Children, class after class in the order of their numbers."""
        return tuple(_child(line) for line in self._lines("children.ndjson"))

    @cached_property
    def doses(self) -> tuple[DoseLine, ...]:
        """Doses before the check, in the order in which they were given."""
        return tuple(_dose(line) for line in self._lines("doses.ndjson"))

    @cached_property
    def makeups(self) -> tuple[DoseLine, ...]:
        """Doses made up after the check, likewise."""
        return tuple(_dose(line) for line in self._lines("makeups.ndjson"))

    @cached_property
    def contraindications(self) -> tuple[RecordLine, ...]:
        """Contraindications, lasting and passing."""
        lines = self._lines("contraindications.ndjson")
        return tuple(
            RecordLine(UUID(line["record"]), line["topic"], line["data"], line["private"])
            for line in lines
        )

    @cached_property
    def corrections(self) -> tuple[Correction, ...]:
        """Corrections of doses before the check."""
        return tuple(_correction(line) for line in self._document("corrections.json"))

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Claims of certificates."""
        return tuple(_claim(line) for line in self._document("claims.json")["claims"])

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """Grants in the order in which they are made; the one too many comes after its ten."""
        return tuple(_grant(line) for line in self._document("claims.json")["grants"])

    @cached_property
    def expected(self) -> Json:
        """Facts that follow from how the data was made."""
        expected: Json = self._document("expected.json")
        return expected

    def _document(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def _lines(self, name: str) -> Iterator[Json]:
        with (self.folder / name).open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _child(line: Json) -> Child:
    check = line["check"]
    return Child(
        record=UUID(line["record"]),
        data=line["registration"]["data"],
        private=line["registration"]["private"],
        enrolment=Enrolment(UUID(line["enrolment"]["enrolment"]), line["enrolment"]["data"]),
        check=Check(
            statement=UUID(check["statement"]),
            checked_on=date.fromisoformat(check["checked_on"]),
            has_certificate=check["has_certificate"],
            reissued_on=_day(check.get("reissued_on")),
            rechecked_on=_day(check.get("rechecked_on")),
        ),
        traits=frozenset(line["traits"]),
    )


def _dose(line: Json) -> DoseLine:
    return DoseLine(UUID(line["record"]), line["topic"], line["data"], line["private"])


def _correction(line: Json) -> Correction:
    return Correction(
        id=UUID(line["correction"]),
        data=line["data"],
        private=line["private"],
        outcome=line["outcome"]["state"],
        reason=line["outcome"].get("reason"),
    )


def _claim(line: Json) -> Claim:
    applicant = line["applicant"]
    return Claim(UUID(line["certificate"]), line["data"], applicant["name"], applicant["id_number"])


def _grant(line: Json) -> Grant:
    is_refused = line["expected"] == "refused"
    return Grant(UUID(line["certificate"]), line["data"], line["private"], is_refused)
