"""The electronic certificate as a PDF in the layout of the paper one (C-4, C-25)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.callers import Caller
from api.certificate_content import certificate_body
from api.clocks import Clocks
from api.credentials import carried
from api.frame import page_router
from api.guessing import GUESSES, GUESSES_AT_PAGES
from api.noting import note_read
from api.parts import Serving, serving_of
from api.reads import NO_STORE
from api.session import Reader
from certificates.errors import CertificateError
from certificates.qr import Code
from commands.principal import Principal
from domain.calendar import civil_day
from printing.certificate import CertificateForm, CertificateLine

PDF = "application/pdf"
_SEXES = {"male": "男", "female": "女"}
_PROVENANCES = {"paper": "按纸质补录", "other-province": "外省补录", "other-system": "他系统补录"}

router = APIRouter(prefix="/v1/certificates", tags=["certificates"], dependencies=[GUESSES])
pages = page_router(GUESSES_AT_PAGES)


@router.get(
    "/{certificate}/certificate.pdf",
    operation_id="printCertificate",
    response_class=Response,
    responses={200: {"content": {PDF: {}}}},
)
async def print_certificate(request: Request, caller: Caller, certificate: UUID) -> Response:
    """The certificate on paper, as it reads today: all doses by vaccine, in the paper's columns.

    For whoever may read the certificate. For a citizen it bears the offline credential as a code.
    It says whether all doses of the record are on it, and what to do before leaving the province.
    """
    return await _printed(request, caller, certificate)


@pages.get("/my/{certificate}/certificate.pdf")
async def print_own(request: Request, caller: Reader, certificate: UUID) -> Response:
    """Likewise, for who is signed in."""
    return await _printed(request, caller, certificate)


async def _printed(request: Request, caller: Principal, certificate: UUID) -> Response:
    serving = serving_of(request)
    clocks = Clocks(None, civil_day(serving.parts.services.clock()))
    body = await to_thread.run_sync(
        certificate_body, serving, caller, certificate, clocks, limiter=serving.threads
    )
    await note_read(request, caller, "printed", [body["record"]])
    text = None
    if caller.identity is not None:
        text, _ = await carried(request, caller, certificate)

    def make() -> bytes:
        return _form(serving, body, text).pdf()

    pdf = await to_thread.run_sync(make, limiter=serving.threads)
    headers = NO_STORE | {"Content-Disposition": 'inline; filename="certificate.pdf"'}
    return Response(pdf, media_type=PDF, headers=headers)


def _form(serving: Serving, body: Mapping[str, Any], text: str | None) -> CertificateForm:
    catalogue = serving.parts.services.rules.catalogue
    order = {code: place for place, code in enumerate(catalogue.vaccines)}

    def place(dose: Mapping[str, Any]) -> tuple[int, Any]:
        return order.get(dose["vaccine"], len(order)), dose["occurred_on"]

    lines = [
        CertificateLine(
            dose["vaccine_name"]["zh"] if dose["vaccine_name"] else dose["vaccine"],
            dose["occurred_on"],
            catalogue.sites[dose["site"]].name.zh if dose["site"] in catalogue.sites else "",
            dose["lot"] or "",
            dose["maker"] or "",
            dose["clinic_name"] or "",
            _PROVENANCES.get(dose["provenance"], ""),
        )
        for dose in sorted(body["doses"], key=place)
    ]
    person = body["person"]
    return CertificateForm(
        name=person["name"] or "",
        sex=_SEXES.get(person["sex"] or "", ""),
        birth_date=person["birth_date"],
        holder=body["holder"]["name"] or "",
        managed_by=body["managed_by"]["name"] or "",
        identifier=body["identifier"],
        lines=lines,
        withheld=body["withheld"],
        differs=body["paper_differs"],
        notices=(body["advice"]["zh"], body["notice"]["zh"]),
        day=body["effective_on"],
        foot=f"电子预防接种证 · 账本位置 {body['position']}",
        code=_code(text),
    )


def _code(text: str | None) -> str | None:
    try:
        return Code.of(text).svg().decode() if text is not None else None
    except CertificateError:
        return None
