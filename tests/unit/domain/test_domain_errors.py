"""Every refusal of the domain has a slug of its own and a sentence in both languages."""

import importlib
import pkgutil
import re

import domain
from domain.errors import DomainError, UnknownVaccine, shown


def every_error() -> list[type[DomainError]]:
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    found, queue = [], [DomainError]
    while queue:
        error = queue.pop()
        found.append(error)
        queue += error.__subclasses__()
    return found


def test_every_error_has_its_own_slug_and_both_sentences():
    errors = every_error()
    slugs = [error.code for error in errors]
    assert len(set(slugs)) == len(slugs), sorted(slugs)
    for error in errors:
        assert re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", error.code)
        assert re.search(r"[一-鿿].*。$", error.zh), error
        assert error.sentence().endswith("."), error
        assert error.__doc__ is not None


def test_facts_and_place_travel_with_the_error():
    error = UnknownVaccine(vaccine="XYZ").at("/doses/0/vaccine")
    assert error.describe() == {
        "code": "unknown-vaccine",
        "zh": "疫苗目录中没有该疫苗。",
        "en": "The catalogue has no such vaccine.",
        "pointer": "/doses/0/vaccine",
        "vaccine": "XYZ",
    }
    assert str(error) == (
        "The catalogue has no such vaccine. (pointer='/doses/0/vaccine', vaccine='XYZ')"
    )


def test_foreign_text_is_shown_short_and_encodable():
    assert shown("a" * 100) == "a" * 64 + "…"
    assert shown("\ud800") == "?"
