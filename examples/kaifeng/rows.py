"""One class for each kind of line in the files.

Clear fields (`data`) and personal values (`private`, by the person's handle) are kept exactly as
they go into a statement; what a submitter has to decide by stands beside them with a type.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

Json = Mapping[str, Any]
Private = Mapping[str, Json]


@dataclass(frozen=True)
class Division:
    """A division of GB/T 2260, or a synthetic one beneath.

    Attributes:
        code: two levels of six digits, townships nine.
        name: in Chinese.
        name_en: in English.
        level: province, city, county or township.
        parent: code of the division above.
        synthetic: whether no such place exists.
    """

    code: str
    name: str
    name_en: str
    level: str
    parent: str | None
    synthetic: bool


@dataclass(frozen=True)
class Organisation:
    """An organisation to be registered.

    Attributes:
        id: its stream.
        data: clear fields of `organisation.registered.v1`, without key and proof.
    """

    id: UUID
    data: Json

    @property
    def name(self) -> str:
        """Name in Chinese."""
        return str(self.data["name"])

    @property
    def kind(self) -> str:
        """Kind of organisation: county-cdc, township, clinic or school."""
        return str(self.data["kind"])

    @property
    def division(self) -> str:
        """Its division: a county's six digits or a township's nine."""
        return str(self.data["division"])

    @property
    def parent(self) -> UUID | None:
        """The organisation above; None beneath the installation's operator."""
        return UUID(self.data["parent"]) if "parent" in self.data else None


@dataclass(frozen=True)
class Enrolment:
    """A child's place in a class.

    Attributes:
        id: its stream.
        data: clear fields of `enrolment.enrolled.v1`.
    """

    id: UUID
    data: Json

    @property
    def institution(self) -> UUID:
        """The school, which signs."""
        return UUID(self.data["institution"])

    @property
    def class_name(self) -> str:
        """Class, as the school names it."""
        return str(self.data["class_name"])

    @property
    def entry_type(self) -> str:
        """Either kindergarten or primary."""
        return str(self.data["entry_type"])


@dataclass(frozen=True)
class Check:
    """Facts of the check of one child.

    Attributes:
        statement: stream of the clinic's check statement.
        checked_on: day of audit and check.
        has_certificate: whether the child has a paper certificate.
        reissued_on: when a lost one was issued again, if it was.
        rechecked_on: when the school looks again, for a child with make-ups.
    """

    statement: UUID
    checked_on: date
    has_certificate: bool
    reissued_on: date | None
    rechecked_on: date | None


@dataclass(frozen=True)
class Child:
    """A child with registration, enrolment and check.

    Attributes:
        record: stream of the vaccination record.
        data: clear fields of `vaccination-record.registered.v1`.
        private: personal values of the child and the guardians.
        enrolment: place at school.
        check: facts of the check.
        traits: what the child is an example of.
    """

    record: UUID
    data: Json
    private: Private
    enrolment: Enrolment
    check: Check
    traits: frozenset[str]

    @property
    def recipient(self) -> UUID:
        """Handle of the child as a person."""
        return UUID(self.data["recipient"])

    @property
    def clinic(self) -> UUID:
        """The managing clinic, which signs the registration."""
        return UUID(self.data["managing_organisation"])

    @property
    def division(self) -> str:
        """Division of the managing clinic."""
        return str(self.data["division"])

    @property
    def identity(self) -> Json:
        """Personal values of the child itself."""
        return self.private[str(self.recipient)]

    @property
    def name(self) -> str:
        """The child's name."""
        return str(self.identity["name"])

    @property
    def birth_date(self) -> date:
        """The child's birthday."""
        return date.fromisoformat(self.identity["birth_date"])


@dataclass(frozen=True)
class RecordLine:
    """Something that a clinic writes into a vaccination record: a dose or a contraindication.

    Attributes:
        record: the stream.
        topic: dose-administered, dose-transcribed or contraindication-recorded, version 1.
        data: clear fields of the topic.
        private: personal values of the recipient.
    """

    record: UUID
    topic: str
    data: Json
    private: Private

    @property
    def clinic(self) -> UUID:
        """Who writes and signs."""
        return UUID(self.data["clinic"])


@dataclass(frozen=True)
class DoseLine(RecordLine):
    """A dose, given or transcribed."""

    @property
    def dose(self) -> UUID:
        """Id of the dose."""
        return UUID(self.data["dose"])

    @property
    def vaccine(self) -> str:
        """Code of the vaccine catalogue."""
        return str(self.data["vaccine"])

    @property
    def occurred_on(self) -> date:
        """Day on which it was given, as the record says."""
        return date.fromisoformat(self.data["occurred_on"])


@dataclass(frozen=True)
class Correction:
    """A request for a correction and what comes of it.

    Attributes:
        id: its stream.
        data: clear fields of `correction.requested.v1`.
        private: personal values of the recipient; empty where none are needed.
        outcome: applied (after verification), rejected or withdrawn.
        reason: code of a rejection or withdrawal.
    """

    id: UUID
    data: Json
    private: Private
    outcome: str
    reason: str | None

    @property
    def record(self) -> UUID:
        """The vaccination record."""
        return UUID(self.data["record"])

    @property
    def clinic(self) -> UUID:
        """Who writes and signs all its steps."""
        return UUID(self.data["clinic"])


@dataclass(frozen=True)
class Claim:
    """A claim of a certificate.

    Attributes:
        certificate: its stream.
        data: clear fields of `certificate.claimed.v1`.
        name: of the applicant, as the identity service verified it.
        id_number: likewise.
    """

    certificate: UUID
    data: Json
    name: str
    id_number: str

    @property
    def record(self) -> UUID:
        """The vaccination record."""
        return UUID(self.data["record"])

    @property
    def holder(self) -> UUID:
        """Handle of the guardian who claims."""
        return UUID(self.data["holder"])


@dataclass(frozen=True)
class Grant:
    """A grant that a holder makes.

    Attributes:
        certificate: stream of the certificate.
        data: clear fields of `certificate.granted.v1`.
        private: personal values of the grantee.
        is_refused: whether it is one too many (C-17).
    """

    certificate: UUID
    data: Json
    private: Private
    is_refused: bool
