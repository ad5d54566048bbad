"""One write on its way: what handlers are given, and what they decide."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from commands.knowing import check_known
from commands.permissions import Scope, check_role, check_write
from commands.principal import Principal
from commands.reading import A, Reading
from commands.signed_body import PrivatePart
from commands.states import check_state
from commands.vault import Place, Sealing
from domain.quality import Check
from domain.topics import check_people, check_private
from domain.vaccination_record import VaccinationRecord
from ledger.statement import Statement
from ledger.store.append import Blob, Claim, Guard
from ledger.store.errors import VersionConflict

PERSON = "person"
ID_NUMBER = "id-number"
PACKAGE_CODE = "package-code"
HOLDER = "certificate-holder"


@dataclass(frozen=True, slots=True)
class Effect:
    """An event that follows on another stream, signed by the platform.

    The aggregate carries exactly one pending event.

    Attributes:
        commitments: To what is sealed with it, by person.
        blobs: The sealed values.
    """

    aggregate: BaseAggregate[UUID]
    commitments: Mapping[UUID, str] = field(default_factory=dict)
    blobs: tuple[Blob, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a handler decided: the author's event, what it rests on and what follows.

    Attributes:
        aggregate: Carries the author's event.
        sealing: What is sealed with it.
        guards: Streams that must still stand where they were read.
        claims: Unique facts taken or given back.
        effects: Events on other streams, in order.
        indexes: Numbers by which persons can be found: kind, number, handle.
        remarks: What deserves a second look in what is written.
        alike: Kind and text of what the record is compared by, where the writer is to be told of
            others that have the same (`duplicates.remarks`).
    """

    aggregate: BaseAggregate[UUID]
    sealing: Sealing
    guards: tuple[Guard, ...] = ()
    claims: tuple[Claim, ...] = ()
    effects: tuple[Effect, ...] = ()
    indexes: tuple[tuple[str, str, UUID], ...] = ()
    remarks: tuple[Check, ...] = ()
    alike: Sequence[tuple[str, str]] = ()


NOBODY: Mapping[UUID, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Writing(Reading):
    """A write whose signature holds, before the domain has seen it.

    Attributes:
        statement: What was signed.
        fields: Its clear fields, typed, as keyword arguments of the aggregate's method.
        private: Personal parts by person.
        principal: Who writes.
    """

    statement: Statement
    fields: Mapping[str, Any]
    private: Mapping[UUID, PrivatePart]
    principal: Principal

    def permit(self, scope: Scope) -> None:
        """Refuse what the table of permissions does not allow.

        Raises:
            Forbidden: no row of the table holds.
        """
        check_write(self.principal, self.statement.topic, scope)

    def known(self, kind: type[A], stream: UUID) -> A:
        """An aggregate that the author may know of; a record only where it may be processed.

        Raises:
            Forbidden: the author's role writes nothing of the kind; said before anything is read.
            NotFound: there is none, or the author may not know of it, in whatever state it is.
            Restricted, Erased: it is a record that is restricted or shredded.
        """
        found = self._known(kind, stream)
        if isinstance(found, VaccinationRecord):
            check_state(found.protection.state)
        return found

    def target(self, kind: type[A]) -> A:
        """The aggregate that the statement changes, at the version that was signed.

        Raises:
            Forbidden, NotFound, Restricted, Erased: see `known`.
            VersionConflict: it stands elsewhere by now.
        """
        return self._at_version(self.known(kind, self.statement.stream))

    def target_in_any_state(self, kind: type[A]) -> A:
        """As `target`, also for a record that may not be processed."""
        return self._at_version(self._known(kind, self.statement.stream))

    def _known(self, kind: type[A], stream: UUID) -> A:
        check_role(self.principal, self.statement.topic)
        found = self.stored(kind, stream)
        check_known(self.principal, found)
        return found

    def _at_version(self, found: A) -> A:
        if found.version != self.statement.expected_version:
            raise VersionConflict(found.id, self.statement.expected_version, found.version)
        return found

    def check_new(self) -> None:
        """A new stream is signed at version 0.

        Raises:
            VersionConflict: the statement expects the stream to exist.
        """
        if self.statement.expected_version:
            raise VersionConflict(self.statement.stream, self.statement.expected_version, 0)

    def seal(
        self, expected: Mapping[UUID, str], newcomers: Iterable[UUID] = ()
    ) -> tuple[Sealing, dict[UUID, dict[str, Any]]]:
        """Check the personal values against the topic's vocabulary, and seal them.

        Args:
            expected: Persons for whom the event may seal values, with their role.
            newcomers: Persons who appear with this event.

        Returns:
            The sealed parts, and the typed values by person for the policies.

        Raises:
            DomainError: see `domain.topics.check_people` and `check_private`.
            Erased: a known person's key is gone.
        """
        topic = self.statement.topic
        check_people(topic, expected, self.private)
        typed = {
            who: check_private(topic, expected[who], part.values)
            for who, part in self.private.items()
        }
        sealing = self.services.vault.seal(
            self.private,
            Place(topic, self.statement.stream, self.statement.expected_version + 1),
            newcomers,
            self.ring,
        )
        return sealing, typed

    def carry_out(
        self,
        aggregate: BaseAggregate[UUID],
        change: Callable[..., None],
        claims: tuple[Claim, ...] = (),
        roles: Mapping[UUID, str] = NOBODY,
    ) -> Decision:
        """Change an aggregate as the statement says.

        Args:
            aggregate: What is changed.
            change: Its method.
            claims: Unique facts taken or given back.
            roles: Persons for whom the event may seal values.
        """
        sealing, _ = self.seal(roles)
        change(recorded_at=self.recorded_at, sealed=sealing.sealed, **self.fields)
        return Decision(aggregate, sealing, claims=claims)


Handler = Callable[[Writing], Decision]
