"""What a coded value of a field is called: what pages say where the interface answers the code."""

from collections.abc import Mapping
from typing import Any

from api.reasons import REASONS
from api.wording import ROLLS, VALUES, Wording
from domain.schedules.catalogue import Catalogue, Route, Site, Vaccine


def said(field: str, value: Any) -> Wording:
    """What a value is called in both languages; itself where it is no code."""
    text = str(value)
    catalogue = Catalogue.load()
    named: Mapping[str, Mapping[str, Vaccine | Site | Route]] = {
        "vaccine": catalogue.vaccines,
        "site": catalogue.sites,
        "route": catalogue.routes,
    }
    if one := named.get(field, {}).get(text):
        return {"zh": one.name.zh, "en": one.name.en}
    known = {"status": ROLLS, "reason": REASONS, "ground": REASONS}.get(field) or VALUES.get(
        field, {}
    )
    return known.get(text) or {"zh": text, "en": text}
