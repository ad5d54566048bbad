"""The text of an issued credential, made from the log and the views each time."""

from datetime import UTC, date, datetime, time
from uuid import UUID

from api.parts import Serving
from bootstrap.credential_keys import CredentialKey
from certificates.claims import Credential as Claims
from certificates.claims import StatusReference
from certificates.history import History
from certificates.holder import Holder, LogState, RuleFile
from certificates.issue import issue
from certificates.school_verdict import EntryType as ClaimedEntry
from certificates.school_verdict import Missing, Outcome, SchoolVerdict
from certificates.shape import CHINA
from commands.errors import Erased
from commands.judging import judge
from commands.reading import Reading
from domain.audit import template_for
from domain.certificate import Certificate
from domain.credential import Content, Credential
from domain.schedules.edition import Edition
from domain.vaccination_record import VaccinationRecord
from domain.verdict import Finding
from domain.vocabulary import EntryType
from projections.credential_content import clinic_code, history_of, holder_of

ROOT_PREFIX = 8


def text_of(serving: Serving, certificate: Certificate, issued: Credential) -> str:
    """The text of a credential; the same each time while its key is kept.

    Raises:
        Erased: The person can no longer be named.
        NotJudgeable: The requirements have no row for this age.
        CertificateError: What it is to show does not fit its format.
    """
    claims = Claims(
        issued.issuer,
        issued.issued_at.replace(microsecond=0),
        midnight(issued.expires_on),
        StatusReference(issued.status_list, issued.status_index),
        _content(serving, certificate, issued),
    )
    return issue(claims, _key(serving, issued).signer)


def midnight(day: date) -> datetime:
    """The moment at which a day begins in China, in UTC."""
    return datetime.combine(day, time(), CHINA).astimezone(UTC)


def _key(serving: Serving, issued: Credential) -> CredentialKey:
    key = serving.parts.credential_keys.find(issued.key)
    assert key is not None, "what is handed out names the newest key"
    return key


def _content(
    serving: Serving, certificate: Certificate, issued: Credential
) -> History | SchoolVerdict:
    holder = _holder(serving, certificate, issued)
    log = LogState(issued.reflects, serving.parts.reader.root(issued.reflects)[:ROOT_PREFIX])
    if issued.content is Content.HISTORY:
        return _history(serving, certificate.record, issued, (holder, log))
    return _verdict(serving, certificate.record, issued, (holder, log))


def _holder(serving: Serving, certificate: Certificate, issued: Credential) -> Holder:
    record = serving.views.records.get(certificate.record)
    assert record is not None, "the views have followed"
    known = serving.views.people.lookup([record.recipient], issued.effective_on, issued.reflects)
    person = known.get(record.recipient)
    if person is None or person.name is None or person.birth_date is None:
        raise Erased
    return holder_of(certificate.identifier, person.name, person.birth_date)


def _history(
    serving: Serving, record: UUID, issued: Credential, said: tuple[Holder, LogState]
) -> History:
    holder, log = said
    doses = serving.views.certificates.certificate_view(
        record, issued.effective_on, at_position=issued.reflects
    ).doses
    directory = serving.parts.directory
    clinics = {
        clinic: clinic_code(clinic, directory.organisation(clinic).division)
        for clinic in {row.clinic for row in doses}
    }
    catalogue = rule_file(serving.parts.services.rules.catalogue.edition)
    return history_of(holder, doses, clinics, (issued.effective_on, catalogue, log))


def _verdict(
    serving: Serving, record: UUID, issued: Credential, said: tuple[Holder, LogState]
) -> SchoolVerdict:
    holder, log = said
    assert issued.entry_type is not None, "it was asked for one"
    finding = finding_on(serving, record, issued.entry_type, issued.effective_on)
    return verdict_of(holder, (issued.effective_on, issued.entry_type), finding, log)


def verdict_of(
    holder: Holder, check: tuple[date, EntryType], finding: Finding, log: LogState
) -> SchoolVerdict:
    """A finding of some day and entry as credentials state it.

    Raises:
        CertificateError: It does not fit its format.
    """
    checked_on, entry_type = check
    return SchoolVerdict(
        holder,
        checked_on,
        ClaimedEntry(entry_type),
        None,
        finding.annex1_row if finding.annex1_row is not None else finding.age_years,
        _outcome(finding),
        tuple(Missing(gap.vaccine_group, gap.dose_numbers) for gap in finding.missing),
        RuleFile(finding.requirement, finding.requirement_version),
        log,
    )


def finding_on(serving: Serving, record: UUID, entry_type: EntryType, day: date) -> Finding:
    """What the entry requirements say of a record on a day.

    Raises:
        Restricted, Erased: The record may not be processed.
        NotJudgeable: The requirements have no row for this age.
    """
    services = serving.parts.services
    reading = Reading(services=services, recorded_at=services.clock())
    found = reading.load(VaccinationRecord, record)
    verdict = judge(reading, found, on=day, entry_type=entry_type, has_certificate=True)
    finding = Finding.of(verdict, found.version)
    template_for(finding)
    return finding


def _outcome(finding: Finding) -> Outcome:
    if finding.missing:
        return Outcome.TO_MAKE_UP
    return Outcome.NOT_TO_MAKE_UP if finding.exempt else Outcome.COMPLETE


def rule_file(edition: Edition) -> RuleFile:
    """A rule file as credentials name it."""
    return RuleFile(edition.id, edition.version)
