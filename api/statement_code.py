"""The code on a check statement: what the clinic stated, verified offline by anyone.

It needs no claimed certificate and no event: all that it says stands in the log for good, and its
status bit is its log position. The same statement gives the same text while its key is kept.
"""

from api.credential_text import ROOT_PREFIX, verdict_of
from api.parts import Serving
from certificates.check_statement import CheckStatement as Stated
from certificates.claims import Credential, status_of_statement
from certificates.errors import CertificateError
from certificates.holder import Holder, LogState
from certificates.issue import issue
from certificates.qr import Code
from domain.calendar import civil_day
from domain.check_statement import CheckStatement
from projections.credential_content import clinic_code, holder_of


def code_of(serving: Serving, found: CheckStatement) -> str | None:
    """The code as SVG; None where the child cannot be named in it.

    Args:
        serving: The running parts.
        found: The statement; the views show it.
    """
    (position, *_), *_ = serving.parts.reader.stream(found.id)
    try:
        holder = _holder(serving, found, position)
        if holder is None:
            return None
        return Code.of(_text(serving, found, position, holder)).svg().decode()
    except CertificateError:
        return None


def _text(serving: Serving, found: CheckStatement, position: int, holder: Holder) -> str:
    keys = serving.parts.credential_keys
    key = keys.of(found.created_on)
    log = LogState(position, serving.parts.reader.root(position)[:ROOT_PREFIX])
    assert found.audit is not None, "a statement is issued with its audit"
    finding = verdict_of(holder, (found.checked_on, found.entry_type), found.audit, log)
    division = serving.parts.directory.organisation(found.clinic).division
    return issue(
        Credential(
            keys.issuer.name,
            max(found.created_on.replace(microsecond=0), key.valid_from),
            key.valid_until,
            status_of_statement(position),
            Stated(finding, clinic_code(found.clinic, division)),
        ),
        key.signer,
    )


def _holder(serving: Serving, found: CheckStatement, position: int) -> Holder | None:
    """The child as named when the statement was issued."""
    record = serving.views.records.get(found.record)
    assert record is not None, "the views have followed"
    known = serving.views.people.lookup([record.recipient], civil_day(found.created_on), position)
    person = known.get(record.recipient)
    if person is None or person.name is None or person.birth_date is None:
        return None
    return holder_of(found.id.hex, person.name, person.birth_date)
