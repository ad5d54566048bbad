"""Forms with a file (RFC 7578): limits first, then cut at the boundary, once."""

import re
from collections.abc import Iterator, Mapping

from fastapi import Request

from api.body import read_body
from api.errors import MalformedForm
from api.frame import check_own_form

MAX_UPLOAD_BYTES = 2_097_152
_MAX_PARTS = 20
_MAX_HEAD_BYTES = 1_024
_BOUNDARY = re.compile(r"boundary=\"?([0-9A-Za-z'()+_,./:=? -]{1,70})\"?$")
_NAME = re.compile(rb'(?im)^content-disposition: form-data; name="([a-z_]{1,40})"')


async def read_upload(request: Request) -> Mapping[str, bytes]:
    """The fields of a form with files that one of our own pages sent, each as its bytes.

    Raises:
        ForeignForm: another site made the browser send it.
        MalformedForm: too many fields, one given twice or without a name, or no end.
        UnsupportedMediaType, BodyTooLarge, BodyTooSlow: likewise.
    """
    check_own_form(request)
    raw = await read_body(request, limit=MAX_UPLOAD_BYTES, media="multipart/form-data")
    found = _BOUNDARY.search(request.headers["content-type"])
    if found is None:
        raise MalformedForm
    parts = list(_parts(raw, found[1].encode()))
    fields = dict(parts)
    if len(fields) != len(parts):
        raise MalformedForm
    return fields


def text_of(fields: Mapping[str, bytes], name: str) -> str:
    """A field as text, with the line ends of Unix; empty where it is not given.

    Raises:
        MalformedForm: It is no UTF-8.
    """
    try:
        return fields.get(name, b"").decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise MalformedForm(field=name) from error


def _parts(raw: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    pieces = (b"\r\n" + raw).split(b"\r\n--" + boundary, _MAX_PARTS + 1)
    if len(pieces) == 1 or not pieces[-1].startswith(b"--"):
        raise MalformedForm
    for part in pieces[1:-1]:
        head, blank, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head) if len(head) <= _MAX_HEAD_BYTES else None
        if name is None or not blank:
            raise MalformedForm
        yield name[1].decode(), content
