"""Who may use a certificate: its holder, and whom the holder lets (C-2, C-14 to C-18)."""

from uuid import UUID

from commands.citizens import identity_of, is_of_age, number_of
from commands.errors import NotFound
from commands.principal import Principal
from commands.reading import Reading
from commands.records import id_number
from commands.services import Services
from commands.states import check_readable, states_of
from domain.certificate import Certificate
from domain.grant import Scope
from domain.vaccination_record import VaccinationRecord
from domain.vocabulary import PersonKind

GRANTEE_NUMBER = "grantee-id-number"


class CertificateUse:
    """Tells citizens what they may see and show."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def shown(self, caller: Principal, stream: UUID) -> Certificate:
        """The certificate for those who may see it; to everyone else it does not exist.

        Raises:
            Forbidden, NotFound: not a citizen; not the caller's to see.
            Restricted, Erased: the record may not be processed.
        """
        identity_of(caller)  # before anything is looked up: what is there is not told either
        certificate = self._reading().load(Certificate, stream)
        if not self.may_view(caller, certificate):
            raise NotFound
        check_readable(self._services.reader, certificate.record)
        return certificate

    def granted(self, caller: Principal) -> list[tuple[Certificate, frozenset[Scope]]]:
        """The certificates that others let the caller use, and what for."""
        reading, number = self._reading(), number_of(identity_of(caller))
        streams = {stream for _, stream in self._services.vault.keys.find(GRANTEE_NUMBER, number)}
        found = [reading.load(Certificate, one) for one in sorted(streams) if reading.exists(one)]
        hidden = states_of(self._services.reader, [one.record for one in found])
        usable = [
            (one, frozenset(scope for scope in Scope if self.acting(caller, one, scope)))
            for one in found
            if one.record not in hidden
        ]
        return [(one, scopes) for one, scopes in usable if scopes]

    def holds(self, caller: Principal, stream: UUID) -> bool:
        """Whether the caller holds the certificate of that stream, or once held it."""
        return self.is_holder(caller, self._reading().load(Certificate, stream))

    def is_holder(self, caller: Principal, certificate: Certificate) -> bool:
        """Whether the caller is the person who holds the certificate."""
        reading = self._reading()
        record_ = reading.stored(VaccinationRecord, certificate.record)
        held_by = reading.person(record_, certificate.holder)
        return id_number(held_by) == number_of(identity_of(caller))

    def may_view(self, caller: Principal, certificate: Certificate) -> bool:
        """Whether the caller holds the certificate or has an active grant to view it (C-2)."""
        return self.acting(caller, certificate, Scope.VIEW) is not None

    def shows_code(self, caller: Principal, stream: UUID) -> tuple[Certificate, UUID]:
        """The certificate whose code the caller may show, and the caller's handle there (C-2).

        Raises:
            Forbidden, NotFound: not a citizen; not the caller's to show.
            Restricted, Erased: the record may not be processed.
        """
        identity_of(caller)
        certificate = self._reading().load(Certificate, stream)
        who = self.acting(caller, certificate, Scope.SHOW_CODE)
        if who is None:
            raise NotFound
        check_readable(self._services.reader, certificate.record)
        return certificate, who

    def acting(self, caller: Principal, certificate: Certificate, scope: Scope) -> UUID | None:
        """The caller's handle at a certificate: its holder's, or a grantee's with that scope.

        Nobody acts with a child's certificate any more once the child is of age.
        """
        who = self._entitled(caller, certificate, scope)
        if who is None or certificate.kind is PersonKind.ADULT:
            return who
        reading = self._reading()
        record_ = reading.stored(VaccinationRecord, certificate.record)
        return None if is_of_age(reading, record_) else who

    def _entitled(self, caller: Principal, certificate: Certificate, scope: Scope) -> UUID | None:
        if self.is_holder(caller, certificate):
            return None if certificate.is_released else certificate.holder
        number = number_of(identity_of(caller))
        handles = {
            handle
            for handle, stream in self._services.vault.keys.find(GRANTEE_NUMBER, number)
            if stream == certificate.id
        }
        for grant in certificate.active_grants(self._reading().today):
            if grant.grantee in handles and scope in grant.scope:
                return grant.grantee
        return None

    def _reading(self) -> Reading:
        return Reading(services=self._services, recorded_at=self._services.clock())
