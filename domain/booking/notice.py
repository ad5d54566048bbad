"""What people are told about a booking, when, and in which words (A-4, X-8)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache

from domain.calendar import SHANGHAI
from domain.schedules.edition import Edition, InvalidRuleFile, Wording
from domain.schedules.finding import Rule
from domain.schedules.json_document import Node, load_document

NEWEST = "yongzhou-2021"


class Kind(StrEnum):
    """What a notice is about."""

    CONFIRMED = "confirmed"
    CHANGED = "changed"
    CALLED_OFF = "called-off"
    REMINDER = "reminder"
    NEXT_DOSE = "next-dose"


_SEAT = ("day", "starts", "ends", "site", "number")
PLACEHOLDERS: Mapping[Kind, Collection[str]] = {
    Kind.CONFIRMED: _SEAT,
    Kind.CHANGED: _SEAT,
    Kind.CALLED_OFF: _SEAT,
    Kind.REMINDER: _SEAT,
    Kind.NEXT_DOSE: ("number", "earliest"),
}
"""Which facts each text may use: never a name, an ID number or a product."""


@dataclass(frozen=True, slots=True)
class NoticeRules:
    """An edition of the texts, and when they are sent.

    Attributes:
        edition: Which file, and when it is in force.
        quiet_from: From this hour on nobody is disturbed (Asia/Shanghai) ...
        quiet_to: ... until this one, of the next morning.
        remind_at: Hour of the day at which what a day brings is sent.
        retry_minutes: Pauses after each failure; the last one again and again.
        give_up_hours: How long a notice is tried.
        texts: By kind.
    """

    edition: Edition
    quiet_from: time
    quiet_to: time
    remind_at: time
    retry_minutes: tuple[int, ...]
    give_up_hours: int
    texts: Mapping[Kind, Rule]

    @classmethod
    def load(cls, name: str = NEWEST) -> "NoticeRules":
        """Return a shipped edition, validated whole; read once a process.

        Args:
            name: File name without ``.notices.json``.
        """
        return _load(name)

    @classmethod
    def read(cls, document: Node) -> "NoticeRules":
        """Read an edition.

        Raises:
            InvalidRuleFile: When it contradicts itself; other `DomainError`s for its form.
        """
        found = document.members(
            (
                *(*Edition.MEMBERS, "quiet_hours", "remind_at"),
                *("retry_minutes", "give_up_hours", "texts"),
            )
        )
        quiet = found["quiet_hours"].members(("from", "to"))
        texts = found["texts"].members(tuple(Kind))
        rules = cls(
            edition=Edition.read(found),
            quiet_from=_hour(quiet["from"]),
            quiet_to=_hour(quiet["to"]),
            remind_at=_hour(found["remind_at"]),
            retry_minutes=tuple(node.integer(least=1) for node in found["retry_minutes"].items()),
            give_up_hours=found["give_up_hours"].integer(least=1),
            texts={kind: Rule.read(kind, texts[kind], PLACEHOLDERS[kind]) for kind in Kind},
        )
        if not rules.retry_minutes or not rules.quiet_to < rules.quiet_from:
            raise InvalidRuleFile(reason="no pause, or quiet hours within one day").at("")
        return rules

    def text(self, kind: Kind, facts: Mapping[str, str]) -> Wording:
        """The words of a notice in both languages."""
        return self.texts[kind].finding(facts).sentence

    def send_at(self, moment: datetime, begins: datetime | None = None) -> datetime:
        """When to send what is known at a moment: in the morning where that is in quiet hours.

        Args:
            moment: With a zone.
            begins: When the appointment begins; what would come after that is sent at once.
        """
        local = moment.astimezone(SHANGHAI)
        if self.quiet_to <= local.time() < self.quiet_from:
            return moment
        day = local.date() + timedelta(days=local.time() >= self.quiet_from)
        morning = datetime.combine(day, self.quiet_to, SHANGHAI)
        return moment if begins is not None and begins <= morning else morning

    def of_day(self, day: date) -> datetime:
        """When to send what a day brings."""
        return datetime.combine(day, self.remind_at, SHANGHAI)

    def pause(self, failures: int) -> timedelta:
        """How long to wait after so many failures, at least one."""
        return timedelta(minutes=self.retry_minutes[min(failures, len(self.retry_minutes)) - 1])


@cache
def _load(name: str) -> NoticeRules:
    return NoticeRules.read(load_document(f"{name}.notices.json"))


def _hour(node: Node) -> time:
    try:
        return time.fromisoformat(node.text())
    except ValueError:
        raise InvalidRuleFile(reason="no hour of the day").at(node.pointer) from None
