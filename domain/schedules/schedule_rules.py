"""Every conclusion that a schedule must have a sentence for, with the facts it may use."""

from collections.abc import Collection, Mapping

_DOSE = ("date", "vaccine")
_IN_SERIES = (*_DOSE, "group", "number")
_NEXT = ("group", "number")

PLACEHOLDERS: Mapping[str, Collection[str]] = {
    "valid": _IN_SERIES,
    "too-early": (*_IN_SERIES, "earliest"),
    "interval-too-short": (*_IN_SERIES, "earliest"),
    "live-interval": (*_IN_SERIES, "earliest"),
    "immunoglobulin-interval": (*_IN_SERIES, "earliest"),
    "wrong-product": _IN_SERIES,
    "no-longer-given": (*_IN_SERIES, "age"),
    "extraneous": (*_DOSE, "series"),
    "superseded": (*_DOSE, "series"),
    "before-birth": _DOSE,
    "after-date": _DOSE,
    "not-in-schedule": _DOSE,
    "complete": ("series",),
    "overdue": (*_NEXT, "earliest", "overdue_from"),
    "due": (*_NEXT, "earliest"),
    "upcoming": (*_NEXT, "earliest"),
    "postponed": _NEXT,
    "contraindicated": ("series",),
    "aged-out": ("series",),
    "no-rule": (*_NEXT, "age"),
    "after-ppd": ("group",),
}
