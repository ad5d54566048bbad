"""The rule file says the notice's numbers, and a file that contradicts itself is refused."""

import copy
import json
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import pytest

from domain.booking.rules import PLACEHOLDERS
from domain.booking.rules import BookingRules as Rules
from domain.errors import DomainError
from domain.schedules.json_document import Node
from tests.spec.bookings import YONGZHOU

SHIPPED = files("domain.schedules") / "data" / "yongzhou-2021.booking.json"
META = json.loads((Path(__file__).parent / "data/appointments.json").read_text("utf-8"))["meta"]


@pytest.fixture
def document():
    return json.loads(SHIPPED.read_text(encoding="utf-8"))


def test_products_and_contraindications_are_those_of_the_worked_cases():
    assert {c.product: c.doses for c in YONGZHOU.courses.values()} == {
        code: product["doses"] for code, product in META["products"].items()
    }
    assert {c.product: c.min_days for c in YONGZHOU.courses.values()} == {
        code: product.get("min_days", 0) for code, product in META["products"].items()
    }
    assert {code: kind.defers for code, kind in YONGZHOU.contraindications.items()} == {
        code: kind["defer"] for code, kind in META["contraindications"].items()
    }
    assert sorted(YONGZHOU.harmless_groups) == META["groups_that_are_no_contraindication"]


def test_every_reason_of_the_worked_cases_has_its_sentence():
    assert set(META["reasons"]) <= set(PLACEHOLDERS) == set(YONGZHOU.reasons)


def test_the_edition_holds_from_the_day_of_the_notice(document):
    assert YONGZHOU.edition.id == "yongzhou-2021-booking"
    assert YONGZHOU.edition.effective_from.isoformat() == "2021-05-07"
    assert Rules.read(Node(document)) == YONGZHOU


def _change(document, path, value):
    changed = copy.deepcopy(document)
    *above, last = path
    place = changed
    for name in above:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return Node(changed)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("minimum_age_years",), -1),
        (("minimum_age_years",), ...),
        (("price",), 0),
        (("products", "inactivated_vero", "min_days"), 0),
        (("products", "inactivated_vero", "doses"), 0),
        (("products", "inactivated_vero", "recommended_from_dose1", "3"), {"days": 90}),
        (("products", "inactivated_vero", "recommended_from_dose1", "02"), {"days": 90}),
        (("products", "recombinant_cho", "recommended_from_dose1", "3"), {}),
        (("products", "recombinant_cho", "recommended_from_dose1", "3", "days"), 1),
        (("address_characters", 0, "from"), "xyz"),
        (("address_characters", 0, "to"), "002F"),
        (("precedence", "reasons"), []),
        (("precedence", "reasons", 0), "later_than_recommended"),
        (("precedence", "reasons", 0), "outside_slot"),
        (("reasons", "no_slot"), ...),
        (("reasons", "no_slot", "zh"), "{price}"),
        (("channels", "group", "books_here"), "no"),
        (("contraindications", "fever", "defer"), None),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(document, path, value):
    with pytest.raises(DomainError):
        Rules.read(_change(document, path, value))


def test_a_warning_comes_after_every_refusal(document):
    document["precedence"]["reasons"].reverse()
    with pytest.raises(DomainError) as refused:
        Rules.read(Node(document))
    assert refused.value.facts["pointer"] == "/precedence/reasons"


def test_the_demos_county_books_by_the_same_rules_in_an_area_of_its_own():
    demo = Rules.load("kaifeng-demo")
    assert demo.edition.id == "kaifeng-demo-booking"
    assert demo.is_in_area("410299101")
    assert not demo.is_in_area("431103001")
    own = {"edition", "area", "area_divisions", "reasons"}
    names = {field.name for field in fields(Rules)} - own
    assert {name for name in names if getattr(demo, name) != getattr(YONGZHOU, name)} == set()
    differing = {code for code in demo.reasons if demo.reasons[code] != YONGZHOU.reasons[code]}
    assert differing == {"group_books_with_office_or_site"}
