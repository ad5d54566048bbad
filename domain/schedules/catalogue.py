"""The vaccine catalogue: which vaccines there are, and by which names and codes they are known."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from domain.errors import AmbiguousVaccine, UnknownVaccine, shown
from domain.schedules.edition import Edition, InvalidRuleFile, Wording
from domain.schedules.json_document import Node, load_document

NEWEST = "vaccines-cn-2018"

_FOUR_DIGITS = re.compile(r"[0-9]{4}")
_PREFIX = re.compile(r"[0-9]{2,3}")


@dataclass(frozen=True, slots=True)
class Route:
    """A way of giving a vaccine (HL7 table 0162)."""

    code: str
    name: Wording
    injected: bool


@dataclass(frozen=True, slots=True)
class Site:
    """A place of the body (HL7 table 0163; ORAL is our own)."""

    code: str
    name: Wording


@dataclass(frozen=True, slots=True)
class Vaccine:
    """A kind of vaccine.

    Attributes:
        code: Our symbol, such as ``MPSV-A``; what records and rule files hold.
        name: Its short name.
        components: Diseases or organisms that it protects against.
        live: Whether it contains living organisms.
        injected: Whether it goes through the skin; live injected ones need 28 days between them.
        routes: Codes of the routes it may be given by.
        sites: Codes of the sites it may be given at.
        national_codes: Four-digit codes (E-17).
        national_code_prefixes: First digits of families whose codes all mean this vaccine.
        aliases: Other names that mean exactly this.
        cvx: CVX codes that fit, best first; empty where none does.
        atc: The ATC code, or None where none fits.
        not_before: Day before which nobody can have been given it, or None where not known.
    """

    code: str
    name: Wording
    components: frozenset[str]
    live: bool
    injected: bool
    routes: tuple[str, ...]
    sites: tuple[str, ...]
    national_codes: tuple[str, ...]
    national_code_prefixes: tuple[str, ...]
    aliases: tuple[str, ...]
    cvx: tuple[str, ...]
    atc: str | None
    not_before: date | None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it goes by, other than four-digit codes."""
        return tuple(dict.fromkeys((self.code, self.name.zh, *self.aliases)))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """An edition of the catalogue.

    Attributes:
        edition: Which file, and when it is in force.
        vaccines: By symbol.
        routes: By code.
        sites: By code.
        withdrawn_codes: National codes that are not given any more, with the first such day.
    """

    edition: Edition
    vaccines: Mapping[str, Vaccine]
    routes: Mapping[str, Route]
    sites: Mapping[str, Site]
    withdrawn_codes: Mapping[str, date]
    _names: Mapping[str, tuple[str, ...]]
    _families: Mapping[str, tuple[str, ...]]

    @classmethod
    def load(cls, name: str = NEWEST) -> "Catalogue":
        """Return a shipped edition, validated whole; read once a process."""
        return _load(name)

    @classmethod
    def read(cls, document: Node) -> "Catalogue":
        """Read an edition and check that every name and code has one meaning.

        Raises:
            InvalidRuleFile: When it contradicts itself; other `DomainError`s for its form.
        """
        found = document.members(
            (
                *(*Edition.MEMBERS, "routes", "sites", "ambiguous_codes", "withdrawn_codes"),
                "vaccines",
            )
        )
        routes = {code: _read_route(code, node) for code, node in found["routes"].entries().items()}
        sites = {
            code: Site(code, Wording.read(node)) for code, node in found["sites"].entries().items()
        }
        vaccines: dict[str, Vaccine] = {}
        for node in found["vaccines"].items():
            vaccine = _read_vaccine(node, routes, sites)
            if vaccine.code in vaccines:
                raise InvalidRuleFile(reason="two vaccines of one code").at(node.pointer)
            vaccines[vaccine.code] = vaccine
        names, families = _meanings(vaccines, found["ambiguous_codes"])
        withdrawn = {code: day.day() for code, day in found["withdrawn_codes"].entries().items()}
        return cls(Edition.read(found), vaccines, routes, sites, withdrawn, names, families)

    def __contains__(self, code: str) -> bool:
        return code in self.vaccines

    def __iter__(self) -> Iterator[Vaccine]:
        return iter(self.vaccines.values())

    def vaccine(self, name: str) -> Vaccine:
        """Return the vaccine that a symbol, four-digit code, Chinese name or alias stands for.

        Raises:
            AmbiguousVaccine: For a code that systems use differently: never guess, ask (E-17).
            UnknownVaccine: For everything else that is no name of a vaccine.
        """
        meanings = self._names.get(name) or self._by_family(name)
        if not meanings:
            raise UnknownVaccine(vaccine=shown(name))
        if len(meanings) > 1:
            raise AmbiguousVaccine(vaccine=name, candidates=list(meanings))
        return self.vaccines[meanings[0]]

    def _by_family(self, name: str) -> tuple[str, ...]:
        """Look a four-digit code up by its first digits, the longer family first."""
        if not _FOUR_DIGITS.fullmatch(name):
            return ()
        return self._families.get(name[:3]) or self._families.get(name[:2], ())


@cache
def _load(name: str) -> Catalogue:
    return Catalogue.read(load_document(f"{name}.json"))


def _read_route(code: str, node: Node) -> Route:
    found = node.members(("zh", "en", "injected"))
    name = Wording(found["zh"].text(), found["en"].text())
    return Route(code, name, injected=found["injected"].boolean())


def _read_vaccine(node: Node, routes: Mapping[str, Route], sites: Mapping[str, Site]) -> Vaccine:
    found = node.members(
        (
            *("code", "zh", "en", "components", "live", "routes", "sites"),
            *("national_codes", "national_code_prefixes", "aliases", "cvx", "atc"),
        ),
        ("not_before",),
    )
    own_routes = tuple(item.choice(routes) for item in found["routes"].items())
    if not own_routes or not found["components"].texts():
        raise InvalidRuleFile(reason="a vaccine without route or component").at(node.pointer)
    return Vaccine(
        code=found["code"].text(),
        name=Wording(found["zh"].text(), found["en"].text()),
        components=frozenset(found["components"].texts()),
        live=found["live"].boolean(),
        injected=any(routes[code].injected for code in own_routes),
        routes=own_routes,
        sites=tuple(item.choice(sites) for item in found["sites"].items()),
        national_codes=_codes(found["national_codes"], _FOUR_DIGITS),
        national_code_prefixes=_codes(found["national_code_prefixes"], _PREFIX),
        aliases=found["aliases"].texts(),
        cvx=found["cvx"].texts(),
        atc=None if found["atc"].value is None else found["atc"].text(),
        not_before=found["not_before"].day() if "not_before" in found else None,
    )


def _codes(node: Node, form: re.Pattern[str]) -> tuple[str, ...]:
    for item in node.items():
        if not form.fullmatch(item.text()):
            raise InvalidRuleFile(reason="not a national code").at(item.pointer)
    return node.texts()


def _meanings(
    vaccines: Mapping[str, Vaccine], ambiguous: Node
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Map every name and every code family to what it may mean; refuse one that is given twice."""
    names: dict[str, tuple[str, ...]] = {}
    families: dict[str, tuple[str, ...]] = {}
    for index, vaccine in enumerate(vaccines.values()):
        pointer, meaning = f"/vaccines/{index}", (vaccine.code,)
        _give(names, (*vaccine.names, *vaccine.national_codes), meaning, pointer)
        _give(families, vaccine.national_code_prefixes, meaning, pointer)
    for node in ambiguous.items():
        found = node.members(("national_codes", "national_code_prefixes", "candidates"))
        candidates = tuple(item.choice(vaccines) for item in found["candidates"].items())
        _give(names, _codes(found["national_codes"], _FOUR_DIGITS), candidates, node.pointer)
        prefixes = _codes(found["national_code_prefixes"], _PREFIX)
        _give(families, prefixes, candidates, node.pointer)
    return names, families


def _give(
    meanings: dict[str, tuple[str, ...]],
    names: Iterable[str],
    meaning: tuple[str, ...],
    pointer: str,
) -> None:
    for name in names:
        if name in meanings:
            raise InvalidRuleFile(reason=f"{name} is given twice").at(pointer)
        meanings[name] = meaning
