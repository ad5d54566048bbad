"""What no true register can add up to (S-42): such a report is refused, not summed."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.errors import DomainError
from domain.roll_up.row import RollUpRow
from domain.schedules.edition import Wording


class ImpossibleCounts(DomainError):
    """The counts of this row contradict each other.

    Facts: `unit`, `reason` (the broken guard), `rule`, and what it says in `why_zh` and `why_en`.
    """

    code = "impossible-counts"
    zh = "汇总数据自相矛盾，请核对后重报。"


@dataclass(frozen=True)
class Guard:
    """A comparison of counts that holds in every true row.

    Attributes:
        reason: The name of its breach.
        rule: Its number.
        sentence: What must hold.
        is_broken: Whether a row breaks it.
    """

    reason: str
    rule: str
    sentence: Wording
    is_broken: Callable[[RollUpRow], bool]


GUARDS: tuple[Guard, ...] = (
    Guard(
        "checked>enrolled",
        "S-42",
        Wording(
            "查验人数不能大于入托入学人数。", "No more children are checked than are enrolled."
        ),
        lambda row: row.checked > row.enrolled,
    ),
    Guard(
        "done>due",
        "S-42",
        Wording("补种剂次数不能大于应补种剂次。", "No more doses are made up than were missed."),
        lambda row: any(count.done > count.due for count in row.doses.values()),
    ),
    Guard(
        "with_certificate+reissued>checked",
        "S-42",
        Wording(
            "持证人数与补证人数之和不能大于查验人数。",
            "Certificates held and issued again are no more than children checked.",
        ),
        lambda row: row.with_certificate + row.certificates_reissued > row.checked,
    ),
    Guard(
        "fully+completed>checked",
        "S-42",
        Wording(
            "全程接种人数与完成补种人数之和不能大于查验人数。",
            "Children with the full course and those who made it up are no more than checked.",
        ),
        lambda row: row.fully_vaccinated + row.makeup_completed > row.checked,
    ),
    Guard(
        "institutions_checked>institutions_due",
        "S-42",
        Wording("查验机构数不能大于应查验机构数。", "No more institutions checked than there are."),
        lambda row: row.institutions_checked > row.institutions_due,
    ),
    Guard(
        "children checked in unchecked institution",
        "S-42",
        Wording(
            "没有查验的机构不能有查验人数。", "Where no institution checked, no child is checked."
        ),
        lambda row: row.checked > 0 and row.institutions_checked == 0,
    ),
    Guard(
        "doses due without a not-fully child",
        "S-41",
        Wording(
            "没有未全程接种儿童时不能有应补种剂次。",
            "Doses are missed only where a child has not the full course.",
        ),
        lambda row: row.doses_due() > 0 and row.not_fully_vaccinated() <= 0,
    ),
)
"""In the order in which they are tried: the five of S-42 as written, then what follows."""


def broken_guard(row: RollUpRow) -> Guard | None:
    """Return the first guard that a row breaks."""
    return next((guard for guard in GUARDS if guard.is_broken(row)), None)


def check_row(row: RollUpRow) -> None:
    """Check a row before it is taken over.

    Raises:
        ImpossibleCounts: With the first guard that it breaks.
    """
    guard = broken_guard(row)
    if guard is not None:
        raise ImpossibleCounts(
            unit=row.unit,
            reason=guard.reason,
            rule=guard.rule,
            why_zh=guard.sentence.zh,
            why_en=guard.sentence.en,
        )
