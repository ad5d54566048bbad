"""What is to become of each row, from the row itself and from what is remembered of its source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from client.importing.memory import ImportMemory, KnownPerson, KnownRow
from client.importing.parsing import Dose, Person, read_dose, read_person
from client.importing.source import SourceRow
from client.importing.verdicts import Judged, Verdict
from domain.dose import DoseState
from domain.dose_policy import DoseFacts, check_dose
from domain.errors import DomainError
from domain.schedules.catalogue import Catalogue
from domain.vocabulary import SourceSystem

_COUNTED_ELSEWHERE = -1
"""Position of a row that made no dose of its own."""


class RowIdMissing(DomainError):
    """The row has no id of its source system, by which it would be known again."""

    code = "row-id-missing"
    zh = "该行没有来源系统的记录编号，无法再次识别。"


class PersonIdMissing(DomainError):
    """The row does not say whom it is about."""

    code = "person-id-missing"
    zh = "该行没有来源系统的受种者编号。"


class PersonUnknown(DomainError):
    """Nothing is known of this person: a row with name, sex and birth date must come first."""

    code = "person-not-told"
    zh = "尚无该受种者的姓名、性别和出生日期，须先导入其基本信息。"


class PersonDiffers(DomainError):
    """This person's particulars differ from those that were imported; they are amended by hand."""

    code = "person-differs"
    zh = "该受种者的基本信息与已导入的不同，请人工核对后变更。"


class NothingTold(DomainError):
    """The row tells of neither a person nor a dose."""

    code = "nothing-told"
    zh = "该行既无受种者信息也无接种信息。"


class DoseToldTwice(DomainError):
    """Another row tells of this vaccine on this day; a person must say which one holds."""

    code = "dose-told-twice"
    zh = "同日同种疫苗另有一行记录，请人工核对。"


class CountedWithCombined(DomainError):
    """This row is a component of a combined vaccine that is counted once, with another row."""

    code = "counted-with-combined"
    zh = "该行为联合疫苗的组分，已随联合疫苗计为一剂。"


class CorrectionProposed(DomainError):
    """A correction to these values was asked for already."""

    code = "correction-proposed"
    zh = "已就该变化提出更正申请。"


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms rows are taken.

    Attributes:
        catalogue: The vaccines.
        source_system: What the doses come from (C-20).
        row: Fields that identify a row.
        today: Civil day.
        new_id: A fresh UUIDv7, for records and doses.
    """

    catalogue: Catalogue
    source_system: SourceSystem
    row: tuple[str, ...]
    today: date
    new_id: Callable[[], UUID]


@dataclass(frozen=True, slots=True)
class Planned:
    """A row with its verdict, and what it takes to write it.

    Attributes:
        judged: The verdict.
        person: Whom it is about; None where that is not known.
        who: What it says of them, None for nothing.
        row: As it is remembered; None for one that only registers.
        dose: The dose that it tells of.
        content: Digest of what it says of the dose.
        given: Digest of person, vaccine and day.
    """

    judged: Judged
    person: KnownPerson | None = None
    who: Person | None = None
    row: KnownRow | None = None
    dose: Dose | None = None
    content: bytes = b""
    given: bytes = b""


class Planner:
    """Judges rows one after the other; what it finds new is remembered at once, as not written.

    Args:
        memory: Of the source system; a step of it is open.
        terms: Under which rows are taken.
    """

    def __init__(self, memory: ImportMemory, terms: Terms) -> None:
        self._memory = memory
        self._terms = terms
        self._said: tuple[Person | None, bytes] = None, b""

    def plan(self, row: SourceRow) -> Planned:
        """Return what is to become of a row."""
        number = row.number
        try:
            if row.faults:
                raise row.faults[0]
            who = read_person(row.values)
            dose = read_dose(row.values, self._terms.catalogue, self._terms.source_system)
            if who is None and dose is None:
                raise NothingTold
            person, is_new, conflict = self._person(row.values, who)
            if conflict is not None:
                return Planned(Judged(number, Verdict.CONFLICT, conflict), person, who)
            if dose is None:
                verdict = Verdict.NEW if is_new or not person.version else Verdict.SAME
                self._keep_person(person, is_new=is_new)
                return Planned(Judged(number, verdict), person, who)
            found = self._dose(number, row.values, person, who, dose)
        except DomainError as refused:
            return Planned(Judged(number, Verdict.REFUSED, refused))
        if found.judged.verdict is Verdict.NEW:
            self._keep_person(person, is_new=is_new)
        return found

    def _keep_person(self, person: KnownPerson, *, is_new: bool) -> None:
        if is_new:
            self._memory.keep_person(person)

    def _person(
        self, values: Mapping[str, str], who: Person | None
    ) -> tuple[KnownPerson, bool, DomainError | None]:
        """Return whom a row is about, whether they are new, and what speaks against it."""
        if "person" not in values:
            raise PersonIdMissing
        key = self._memory.key("person", values["person"])
        known = self._memory.person(key)
        if known is None and who is None:
            raise PersonUnknown
        content = known.content if known else b""
        if who is not None:
            content = self._content(who)
        if known is None:
            record = self._terms.new_id()
            return KnownPerson(key, content, record, uuid4(), uuid4()), True, None
        return known, False, None if content == known.content else PersonDiffers()

    def _content(self, who: Person) -> bytes:
        """Return the digest of what a row says of a person; often the row before said the same."""
        if who is not self._said[0]:
            said = [dict(who.recipient), dict(who.guardian), who.relation.value]
            self._said = who, self._memory.key("said", *said)
        return self._said[1]

    def _dose(
        self,
        number: int,
        values: Mapping[str, str],
        person: KnownPerson,
        who: Person | None,
        dose: Dose,
    ) -> Planned:
        row_id = [values.get(name, "") for name in self._terms.row]
        if not all(row_id):
            raise RowIdMissing(fields=list(self._terms.row))
        key = self._memory.key("row", *row_id)
        content = self._memory.key("dose", dict(dose.clear), dose.unit, dose.note)
        day = dose.clear["occurred_on"]
        given = self._memory.key("given", person.key.hex(), dose.clear["vaccine"], day)
        row = self._memory.row(key) or KnownRow(key, content, person.key, None)
        judged = self._judge(number, row, dose, content, given)
        if judged.verdict is Verdict.NEW:
            self._check(dose, who)
            row = KnownRow(key, content, person.key, row.dose or self._terms.new_id(), row.version)
            self._memory.keep_row(row)
            self._memory.keep_dose(given, key)
        elif isinstance(judged.reason, CountedWithCombined):
            self._memory.keep_row(
                KnownRow(key, content, person.key, None, position=_COUNTED_ELSEWHERE)
            )
        return Planned(judged, person, who, row, dose, content, given)

    def _judge(
        self, number: int, row: KnownRow, dose: Dose, content: bytes, given: bytes
    ) -> Judged:
        if row.position > 0:
            return _judge_written(number, row, content)
        if row.position == _COUNTED_ELSEWHERE and row.content == content:
            return Judged(number, Verdict.SAME, CountedWithCombined())
        other = self._memory.row_of_dose(given)
        if other in (None, row.key):
            return Judged(number, Verdict.NEW)
        if dose.is_component:
            return Judged(number, Verdict.SAME, CountedWithCombined())
        return Judged(number, Verdict.CONFLICT, DoseToldTwice())

    def _check(self, dose: Dose, who: Person | None) -> None:
        """Refuse what the log would refuse; without a birth date it decides alone."""
        if who is None:
            return
        nobody = UUID(int=0)
        state = DoseState.proposed(
            {**dose.typed, "dose": nobody, "clinic": nobody},
            version=1,
            day=self._terms.today,
            given=False,
        )
        facts = DoseFacts(self._terms.catalogue, who.birth_date)
        check_dose(state, facts, None, self._terms.today)


def _judge_written(number: int, row: KnownRow, content: bytes) -> Judged:
    """A row that stands in the log is the same, or a change to propose; never another dose."""
    if row.content == content:
        return Judged(number, Verdict.SAME)
    if row.proposed == content:
        return Judged(number, Verdict.SAME, CorrectionProposed())
    return Judged(number, Verdict.CHANGED)
