"""What a school-entry check asks for: doses by age, what counts for what, and the readings used."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from domain.schedules.catalogue import Catalogue
from domain.schedules.counting import Counting, Course, read_counting, read_courses
from domain.schedules.edition import Edition, InvalidRuleFile, Wording
from domain.schedules.finding import Rule
from domain.schedules.json_document import Node, load_document

NEWEST = "kaifeng-2018"

_DOSE = ("date", "vaccine")
_GAP = ("group", "numbers")

PLACEHOLDERS: Mapping[str, Collection[str]] = {
    "row": ("entry_type", "age", "row"),
    "below-table": ("age",),
    "above-table": ("age", "row"),
    "leap-birthday": (),
    "outside-effective-dates": ("date",),
    "counted": (*_DOSE, "group", "number"),
    "course-part": (*_DOSE, "group", "number"),
    "toward-course": (*_DOSE, "group", "number"),
    "surplus": (*_DOSE, "group"),
    "same-day": (*_DOSE, "group"),
    "before-birth": _DOSE,
    "after-check": _DOSE,
    "not-listed": _DOSE,
    "complete": (),
    "missing": _GAP,
    "lasting-contraindication": _GAP,
    "passing-contraindication": _GAP,
    "idle-contraindication": ("group",),
    "newly-required": (*_GAP, "date"),
    "no-longer-given": (*_GAP, "months"),
    "reissue-certificate": (),
}
"""Every conclusion that a rule file must have a sentence for, with the facts it may use."""


@dataclass(frozen=True, slots=True)
class Group:
    """A vaccine group of the check, with its dose columns in the register (annex 3).

    Attributes:
        code: Such as ``MenAC``.
        name: What forms call it.
        columns: Number of dose columns.
    """

    code: str
    name: Wording
    columns: int


@dataclass(frozen=True, slots=True)
class NoLongerGiven:
    """A dated policy: doses still lacking by the list that clinics give no more (X-22).

    Attributes:
        group: The vaccine group.
        from_age_months: Age in completed months from which they are not given.
        effective_from: First day of checks that it is flagged for.
        source: The document that says so.
    """

    group: str
    from_age_months: int
    effective_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Switch:
    """A reading that the sources leave open, with the option in use.

    Attributes:
        name: Such as ``je_i_doses``.
        rule: Number of the rule that names the choice.
        chosen: The option in use.
        sentence: What the option means.
    """

    name: str
    rule: str
    chosen: str
    sentence: Wording


@dataclass(frozen=True, slots=True)
class EntryRequirements:
    """An edition of entry requirements, with its switches set; another schedule is another (X-26).

    Attributes:
        edition: Which file, and when it is in force.
        catalogue: The vaccines that it speaks of.
        entry_types: Names of the entry types by code.
        groups: The groups in the register's order.
        rows: Doses asked for, by completed age and group.
        switches: The switches by name.
        counting: What doses of a vaccine fill, by vaccine code.
        courses: Substitute courses by group.
        no_longer_given: The dated policies.
        left_out_of_makeup_rate: Groups that the make-up rate leaves out (X-13).
        rules: The sentences by conclusion.
    """

    edition: Edition
    catalogue: Catalogue
    entry_types: Mapping[str, Wording]
    groups: Mapping[str, Group]
    rows: Mapping[int, Mapping[str, int]]
    switches: Mapping[str, Switch]
    counting: Mapping[str, tuple[Counting, ...]]
    courses: Mapping[str, Course]
    no_longer_given: tuple[NoLongerGiven, ...]
    left_out_of_makeup_rate: frozenset[str]
    rules: Mapping[str, Rule]

    @classmethod
    def load(cls, name: str = NEWEST, **options: str) -> "EntryRequirements":
        """Return a shipped edition, validated whole; read once a process and set of options.

        Args:
            name: File name without ``.entry.json``.
            **options: Switches set otherwise than the file does, such as
                ``je_i_doses="national"`` (X-4).
        """
        return _load(name, tuple(sorted(options.items())))

    @classmethod
    def read(cls, document: Node, options: Mapping[str, str] | None = None) -> "EntryRequirements":
        """Read an edition and check it against itself and the vaccine catalogue.

        Every option of every switch is tried, so that a file cannot fail later on.

        Raises:
            InvalidRuleFile: When it contradicts itself; other `DomainError`s for its form.
        """
        chosen = cls._assemble(document, options or {})
        for name, node in document.entries()["switches"].entries().items():
            for option in node.entries()["options"].entries():
                cls._assemble(document, {**(options or {}), name: option})
        return chosen

    @classmethod
    def _assemble(cls, document: Node, options: Mapping[str, str]) -> "EntryRequirements":
        found = document.members(
            (
                *(*Edition.MEMBERS, "catalogue", "entry_types", "groups", "required_doses"),
                *("switches", "counting", "courses", "no_longer_given"),
                *("left_out_of_makeup_rate", "rules"),
            )
        )
        catalogue = Catalogue.load(found["catalogue"].choice(("vaccines-cn-2018",)))
        groups = _read_groups(found["groups"])
        rows = _read_rows(found["required_doses"], groups)
        switches = _read_switches(found["switches"], options)
        chosen = {switch.name: switch.chosen for switch in switches.values()}
        columns = {group.code: group.columns for group in groups.values()}
        courses = read_courses(found["courses"], columns, chosen)
        counting = read_counting(found["counting"], columns, chosen, catalogue)
        _check_reachable(rows, counting, courses)
        left_out = found["left_out_of_makeup_rate"].items()
        return cls(
            edition=Edition.read(found),
            catalogue=catalogue,
            entry_types={
                code: Wording.read(node) for code, node in found["entry_types"].entries().items()
            },
            groups=groups,
            rows=rows,
            switches=switches,
            counting=counting,
            courses=courses,
            no_longer_given=tuple(
                _read_policy(node, groups) for node in found["no_longer_given"].items()
            ),
            left_out_of_makeup_rate=frozenset(node.choice(groups) for node in left_out),
            rules=_read_rules(found["rules"]),
        )

    def row_for(self, age: int) -> int | None:
        """Return the row that judges an age: below the table None, above the last (S-24, X-3)."""
        return None if age < min(self.rows) else min(age, max(self.rows))

    def required(self, row: int | None, group: str) -> int:
        """Return how many doses of a group a row asks for."""
        return 0 if row is None else self.rows[row].get(group, 0)

    def required_since(self, row: int, group: str, column: int) -> int:
        """Return the age from which the table has asked for this dose without a break."""
        age = row
        while age - 1 in self.rows and self.required(age - 1, group) >= column:
            age -= 1
        return age


@cache
def _load(name: str, options: tuple[tuple[str, str], ...]) -> EntryRequirements:
    return EntryRequirements.read(load_document(f"{name}.entry.json"), dict(options))


def _read_groups(node: Node) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for item in node.items():
        found = item.members(("code", "zh", "en", "columns"))
        name = Wording(found["zh"].text(), found["en"].text())
        group = Group(found["code"].text(), name, found["columns"].integer(least=1))
        if group.code in groups:
            raise InvalidRuleFile(reason="a group is given twice").at(item.pointer)
        groups[group.code] = group
    return groups


def _read_rows(node: Node, groups: Mapping[str, Group]) -> dict[int, dict[str, int]]:
    rows: dict[int, dict[str, int]] = {}
    for age, row in node.entries().items():
        if not age.isascii() or not age.isdigit():
            raise InvalidRuleFile(reason="an age that is no number").at(row.pointer)
        doses: dict[str, int] = {}
        for code, count in row.entries().items():
            if code not in groups or count.integer(least=1) > groups[code].columns:
                raise InvalidRuleFile(reason="a dose without a column").at(count.pointer)
            doses[code] = count.integer()
        rows[int(age)] = doses
    if not rows or sorted(rows) != list(range(min(rows), max(rows) + 1)):
        raise InvalidRuleFile(reason="the ages have gaps").at(node.pointer)
    return rows


def _read_switches(node: Node, options: Mapping[str, str]) -> dict[str, Switch]:
    switches: dict[str, Switch] = {}
    for name, item in node.entries().items():
        found = item.members(("rule", "chosen", "options"))
        sentences = found["options"].entries()
        chosen = Node(options.get(name, found["chosen"].value), found["chosen"].pointer)
        code = chosen.choice(sentences)
        sentence = Wording.read(sentences[code])
        switches[name] = Switch(name, found["rule"].text(), code, sentence)
    for name in options:
        Node(name, node.pointer).choice(switches)
    return switches


def _read_policy(node: Node, groups: Mapping[str, Group]) -> NoLongerGiven:
    found = node.members(("group", "from_age_months", "effective_from", "source"))
    return NoLongerGiven(
        group=found["group"].choice(groups),
        from_age_months=found["from_age_months"].integer(),
        effective_from=found["effective_from"].day(),
        source=found["source"].text(),
    )


def _read_rules(node: Node) -> dict[str, Rule]:
    found = node.members(PLACEHOLDERS)
    return {code: Rule.read(code, found[code], PLACEHOLDERS[code]) for code in PLACEHOLDERS}


def _check_reachable(
    rows: Mapping[int, Mapping[str, int]],
    counting: Mapping[str, tuple[Counting, ...]],
    courses: Mapping[str, Course],
) -> None:
    """Check that every dose asked for can be filled, and every course has a group that uses it."""
    ways = [way for of_vaccine in counting.values() for way in of_vaccine]
    filled = {group for way in ways for group in way.fills}
    in_course = {way.fills[0] for way in ways if way.mode == "course"}
    if not {group for row in rows.values() for group in row} <= filled:
        raise InvalidRuleFile(reason="a dose is asked for that nothing fills").at("/required_doses")
    if in_course != set(courses):
        raise InvalidRuleFile(reason="courses and what counts toward them differ").at("/courses")
