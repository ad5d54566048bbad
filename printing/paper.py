"""Setting a form as PDF/A: a template of this package, its values, and the day that it states."""

import json
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from printing.glyphs import drawable

if TYPE_CHECKING:
    import typst

_STANDARD: Final = "a-2u"
"""For keeping: everything embedded, and every glyph can be read out as text (ISO 19005-2)."""

_ONE_AT_A_TIME = Lock()


class Form(StrEnum):
    """A form, by its template."""

    CERTIFICATE = "certificate"
    NOTICE = "notice"
    STATEMENT = "statement"
    REGISTER = "register"
    ROLL_UP = "roll_up"


def set_pdf(form: Form, values: Mapping[str, Any], day: date) -> bytes:
    """Return a form as PDF; the same values give the same bytes.

    Args:
        form: Which template.
        values: What it asks for: text, numbers, and lists and objects of them.
        day: Stands in the file as the day on which it was made.
    """
    stated = {"year": day.year, "month": day.month, "day": day.day}
    inputs = {"data": json.dumps(_drawable({**values, "date": stated}), ensure_ascii=False)}
    folder = _folder()
    with _ONE_AT_A_TIME:
        pdf = _compiler().compile(
            input=folder / "templates" / f"{form}.typ",
            format="pdf",
            sys_inputs=inputs,
            pdf_standards=_STANDARD,
            pdf_tags=False,  # a hundred cells a row: fifteen times the size
        )
    assert isinstance(pdf, bytes), "a PDF is one file"
    return pdf


@cache
def _compiler() -> "typst.Compiler":
    import typst  # noqa: PLC0415 - of all who import this module, few ever set a form

    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(_folder() / "fonts")],
    )
    return typst.Compiler(root=_folder() / "templates", font_paths=fonts)


@cache
def _folder() -> Path:
    with resources.as_file(resources.files(__package__)) as folder:
        return folder


def _drawable(value: Any) -> Any:
    if isinstance(value, str):
        return drawable(value)
    if isinstance(value, Mapping):
        return {name: _drawable(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_drawable(member) for member in value]
    return value
