"""The page that verifies credentials in the browser, without sending them anywhere (`/verify`)."""

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

from anyio import to_thread
from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from api.certificate_content import NOTICE
from api.frame import page, page_router, static
from api.parts import Serving, serving_of
from certificates.verify import SENTENCES, YOUNGER_THAN_LIST

FINGERPRINT_DIGITS = 32

router = page_router()


@router.get("/verify")
async def verify_page(request: Request) -> Response:
    """The page; it comes with the root key, which it trusts from its first opening on."""
    serving = serving_of(request)
    spki = await to_thread.run_sync(lambda: serving.parts.credential_keys.root.public_key.spki)
    return page(
        request,
        "verify.html",
        words=_embedded(_words(serving, spki)),
        fingerprint=sha256(spki).hexdigest()[:FINGERPRINT_DIGITS],
    )


@router.get("/verify.js")
async def verify_script() -> Response:
    """What the page does."""
    return static("verify.js")


@router.get("/credential.js")
async def credential_script() -> Response:
    """The verifier itself, which may be used elsewhere."""
    return static("credential.js")


@router.get("/scan.js")
async def scan_script() -> Response:
    """Reads codes with the camera or from a picture."""
    return static("scan.js")


@router.get("/scanner.js")
async def scanner_script() -> Response:
    """Sends a form as soon as a code is read into it."""
    return static("scanner.js")


@router.get("/qr.js")
async def qr_script() -> Response:
    """The decoder for browsers that have none of their own."""
    return static("qr.js")


@router.get("/verify-worker.js")
async def verify_worker() -> Response:
    """Keeps the page for when there is no network."""
    return static("verify-worker.js")


def _words(serving: Serving, spki: bytes) -> dict[str, Any]:
    rules = serving.parts.services.rules
    names = {one.code: one.name for one in rules.catalogue.vaccines.values()}
    groups = {one.code: one.name for one in rules.requirements.groups.values()}
    sentences = {str(verdict): said for verdict, said in SENTENCES.items()}
    sentences["younger-than-list"] = YOUNGER_THAN_LIST
    return {
        "roots": [b64encode(spki).decode()],
        "sentences": {
            name: {"zh": zh.format(zh="{day}"), "en": en.format(en="{day}")}
            for name, (zh, en) in sentences.items()
        },
        "vaccines": {code: {"zh": name.zh, "en": name.en} for code, name in names.items()},
        "groups": {code: {"zh": name.zh, "en": name.en} for code, name in groups.items()},
        "notice": NOTICE,
    }


def _embedded(value: Any) -> Markup:
    """JSON that stands in a script element: nothing in it can end the element."""
    return Markup(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704 - of our own words alone
