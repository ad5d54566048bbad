"""What a person carries, and the lists by which anyone verifies it without asking us."""

from typing import Annotated, Any, Literal
from uuid import UUID

from anyio import to_thread
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.certificate_content import NOTICE
from api.credential_text import finding_on, midnight, text_of
from api.errors import AddressUnknown, NoCode
from api.guessing import GUESSES
from api.noting import note_read
from api.parameters import wait_for_views
from api.parts import Serving, serving_of
from api.reads import NO_STORE
from certificates.errors import CodeTooLarge
from certificates.qr import Code
from certificates.status import STATUS_LIST_TYPE
from certificates.trust import TRUST_LIST_TYPE
from commands.credentials import Wanted, newest_position
from commands.principal import Principal
from commands.reading import Reading
from domain.calendar import civil_day
from domain.certificate import Certificate
from domain.credential import Content, Credential
from domain.vaccination_record import VaccinationRecord
from domain.vocabulary import EntryType

MINUTE = "public, max-age=60"
HOUR = "public, max-age=3600"
_PNG, _SVG = "image/png", "image/svg+xml"
_MAX_LIST = 2**31 - 1

_Entry = Literal["kindergarten", "primary"]
ListNumber = Annotated[int, Path(ge=0, le=_MAX_LIST)]

router = APIRouter(prefix="/v1/certificates", tags=["certificates"], dependencies=[GUESSES])
lists = APIRouter(prefix="/certificates", tags=["certificates"])


@router.get("/{certificate}/credential", operation_id="getCredential", response_class=Response)
async def get_credential(request: Request, caller: Caller, certificate: UUID) -> Response:
    """The offline credential with all doses, for the holder or a grantee with the scope `view`.

    It is issued when it is first asked for, and again after each change. As JSON it comes with its
    particulars, as `image/png` or `image/svg+xml` as a code.
    """
    return await _credential(request, caller, certificate, None)


@router.get(
    "/{certificate}/school-verdict", operation_id="getSchoolVerdict", response_class=Response
)
async def get_school_verdict(
    request: Request,
    caller: Caller,
    certificate: UUID,
    entry_type: Annotated[_Entry, Query(description="What the child enters.")],
) -> Response:
    """The offline verdict for a school, of today: which doses are to be made up, and no more.

    Neither doses nor the reason of a contraindication are in it. Otherwise as the credential.
    """
    return await _credential(request, caller, certificate, EntryType(entry_type))


@lists.get("/trust-list", operation_id="getTrustList", response_class=Response)
async def trust_list(request: Request) -> Response:
    """Whose keys sign credentials and status lists, signed by the root key (CWT)."""
    keys = serving_of(request).parts.credential_keys
    raw = await to_thread.run_sync(keys.trust_list)
    return Response(raw, media_type=TRUST_LIST_TYPE, headers={"Cache-Control": MINUTE})


@lists.get("/root", operation_id="getTrustRoot", response_class=Response)
async def trust_root(request: Request) -> Response:
    """The root's public key, to be compared with one from elsewhere before it is trusted."""
    keys = serving_of(request).parts.credential_keys
    spki = (await to_thread.run_sync(lambda: keys.root)).public_key.spki
    pem = load_der_public_key(spki).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Response(pem, media_type="application/x-pem-file", headers={"Cache-Control": HOUR})


@lists.get("/status/{number}", operation_id="getStatusList", response_class=Response)
async def status_list(request: Request, number: ListNumber) -> Response:
    """A Token Status List (CWT): a set bit means that the credential holds no more."""
    return _list(await to_thread.run_sync(serving_of(request).statuses.ended, number))


@lists.get("/status/{number}/superseded", operation_id="getSupersededList", response_class=Response)
async def superseded_list(request: Request, number: ListNumber) -> Response:
    """A list of the same form: which of them have a successor, that is to be shown instead."""
    return _list(await to_thread.run_sync(serving_of(request).statuses.superseded, number))


def _list(raw: bytes | None) -> Response:
    if raw is None:
        raise AddressUnknown
    return Response(raw, media_type=STATUS_LIST_TYPE, headers={"Cache-Control": MINUTE})


async def _credential(
    request: Request, caller: Principal, stream: UUID, entry_type: EntryType | None
) -> Response:
    text, issued = await carried(request, caller, stream, entry_type)
    serving = serving_of(request)
    return await to_thread.run_sync(
        _answer, request, serving, text, issued, limiter=serving.threads
    )


async def carried(
    request: Request, caller: Principal, stream: UUID, entry_type: EntryType | None = None
) -> tuple[str, Credential]:
    """The text of a credential that the caller may carry away, noted before it is answered.

    Raises:
        Forbidden, NotFound: Not a citizen; not the caller's to see.
        NotYetVisible: The views do not show the newest entry yet.
    """
    serving = serving_of(request)
    certificate, newest = await to_thread.run_sync(
        _shown, serving, caller, stream, limiter=serving.threads
    )
    await wait_for_views(request, newest)
    text, issued = await to_thread.run_sync(
        issued_text, serving, certificate, entry_type, limiter=serving.threads
    )
    await note_read(request, caller, str(issued.content), [certificate.record])
    return text, issued


def _shown(serving: Serving, caller: Principal, stream: UUID) -> tuple[Certificate, int]:
    """The certificate, for who may see it, and the newest position of its record."""
    certificate = serving.parts.desk.certificates.use.shown(caller, stream)
    services = serving.parts.services
    reading = Reading(services=services, recorded_at=services.clock())
    record = reading.load(VaccinationRecord, certificate.record)
    return certificate, newest_position(reading, record)


def issued_text(
    serving: Serving, certificate: Certificate, entry_type: EntryType | None
) -> tuple[str, Credential]:
    """The text of the credential in force, issued where there is none, and what was issued.

    Raises:
        Restricted, Erased: The record may not be processed.
        NotJudgeable: A verdict is asked for, and the requirements have no row for this age.
    """
    today = civil_day(serving.parts.services.clock())
    if entry_type is not None:
        finding_on(serving, certificate.record, entry_type, today)  # refused before it is issued
    outdated = serving.views.credentials.outdated(today, certificate.id)
    wanted = Wanted(
        Content.HISTORY if entry_type is None else Content.SCHOOL_VERDICT,
        serving.views.positions.lowest(),
        entry_type,
        [row.credential for row in outdated],
    )
    issued = serving.parts.issuing.current(certificate.id, wanted)
    return text_of(serving, certificate, issued), issued


def _answer(request: Request, serving: Serving, text: str, issued: Credential) -> Response:
    accepted = request.headers.get("accept", "")
    headers = NO_STORE | {"Vary": "Accept"}
    if _PNG in accepted or _SVG in accepted:
        try:
            code = Code.of(text)
        except CodeTooLarge as error:
            raise NoCode from error
        image, kind = (code.png(), _PNG) if _PNG in accepted else (code.svg(), _SVG)
        return Response(image, media_type=kind, headers=headers)
    return json_response(_described(serving, text, issued), headers=headers)


def _described(serving: Serving, text: str, issued: Credential) -> dict[str, Any]:
    issuer = serving.parts.credential_keys.issuer
    return {
        "credential": text,
        "id": issued.credential,
        "content": issued.content,
        "issuer": issued.issuer,
        "issued_at": issued.issued_at.replace(microsecond=0),
        "expires_at": midnight(issued.expires_on),
        "effective_on": issued.effective_on,
        "position": issued.reflects,
        "status": issuer.status_list(issued.status_list),
        "status_index": issued.status_index,
        "notice": NOTICE,
    }
