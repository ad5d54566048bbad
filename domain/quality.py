"""Data quality at the door: what is refused of a dose, and what is remarked on and let in.

Every check has an id, a severity and a text. What is refused stands in `domain.dose_policy`; here
is what cannot be ruled out but deserves a second look. A remark repeats no value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain import dose_policy
from domain.dose import DoseState
from domain.errors import DomainError, UnknownVaccine
from domain.schedules.catalogue import Catalogue
from domain.schedules.edition import Wording
from domain.schedules.schedule import Schedule


class Severity(StrEnum):
    """What follows from a finding."""

    REFUSE = "refuse"
    WARN = "warn"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Check:
    """A check of data quality.

    Attributes:
        id: Slug; for a refusal the code of its error.
        severity: What follows.
        text: What is said.
    """

    id: str
    severity: Severity
    text: Wording

    def describe(self) -> dict[str, str]:
        """Return the JSON object that interfaces show."""
        return {
            "id": self.id,
            "severity": self.severity.value,
            "zh": self.text.zh,
            "en": self.text.en,
        }


REFUSALS: tuple[type[DomainError], ...] = (
    dose_policy.PlaceholderDate,
    dose_policy.DoseBeforeBirth,
    dose_policy.DoseInFuture,
    dose_policy.DoseAfterDeath,
    dose_policy.TimeNotOnDay,
    dose_policy.BeforeVaccineExisted,
    dose_policy.LotExpired,
    dose_policy.SiteNotAllowed,
    dose_policy.RouteNotAllowed,
    dose_policy.NationalCodeMismatch,
    UnknownVaccine,
)

PLACEHOLDER_YEAR = Check(
    "placeholder-year",
    Severity.WARN,
    Wording(
        "接种日期在1981至1986年间：其他系统常以此类日期表示禁忌、已患或超龄，请核对凭证。",
        "The date lies in 1981 to 1986, years that other systems write for contraindicated, ill or "
        "too old: look at the evidence.",
    ),
)
TOO_YOUNG = Check(
    "younger-than-scheduled",
    Severity.WARN,
    Wording(
        "接种时早于免疫程序中该疫苗的最小年龄，请核对日期和疫苗。",
        "Given below every age at which the schedule gives this vaccine: look at date and vaccine.",
    ),
)
TOO_OLD = Check(
    "older-than-scheduled",
    Severity.WARN,
    Wording(
        "接种时已超过免疫程序中该疫苗的接种年龄，请核对日期和疫苗。",
        "Given above every age at which the schedule gives this vaccine: look at date and vaccine.",
    ),
)
WITHDRAWN_CODE = Check(
    "withdrawn-code",
    Severity.WARN,
    Wording(
        "该四位编码的疫苗在接种日已停用，请核对编码。",
        "The vaccine of this four-digit code was not given any more on that day: look at the code.",
    ),
)
LOT_NOT_GIVEN = Check(
    "lot-not-given",
    Severity.NOTE,
    Wording(
        "补录未填批号：批次召回时无法查到该剂。",
        "Transcribed without a lot number: a recall of its lot will not find this dose.",
    ),
)
SAME_DAY_AGAIN = Check(
    "same-day-again",
    Severity.WARN,
    Wording(
        "同一天已有同种或含相同成分疫苗的接种记录，请核对是否重复录入。",
        "There is a dose of this vaccine, or of a component of it, on the same day: look whether "
        "one was entered twice.",
    ),
)
SOON_AGAIN = Check(
    "soon-again",
    Severity.WARN,
    Wording(
        "七天内已有同种疫苗的接种记录，请核对是否重复录入或日期有误。",
        "There is a dose of this vaccine less than seven days away: look whether one was entered "
        "twice, or a date is wrong.",
    ),
)
REMARKS = (
    SAME_DAY_AGAIN,
    SOON_AGAIN,
    PLACEHOLDER_YEAR,
    TOO_YOUNG,
    TOO_OLD,
    WITHDRAWN_CODE,
    LOT_NOT_GIVEN,
)

CHECKS: Mapping[str, Check] = {
    check.id: check
    for check in (
        *(
            Check(error.code, Severity.REFUSE, Wording(error.zh, error.sentence()))
            for error in REFUSALS
        ),
        *REMARKS,
    )
}
"""Every check of a dose by its id."""


def remarks(
    dose: DoseState, birth_date: date, catalogue: Catalogue, schedule: Schedule | None
) -> Iterator[Check]:
    """Yield what deserves a second look in a dose that nothing refuses.

    Args:
        dose: The dose as it is to read.
        birth_date: Of the recipient.
        catalogue: The vaccines.
        schedule: The one in force on the day of the dose, or None.
    """
    day = dose.occurred_on
    if day.year in dose_policy.PLACEHOLDER_YEARS:
        yield PLACEHOLDER_YEAR
    if schedule is not None:
        yield from _age(dose, birth_date, schedule)
    withdrawn = catalogue.withdrawn_codes.get(dose.national_code or "")
    if withdrawn is not None and day >= withdrawn:
        yield WITHDRAWN_CODE
    if dose.lot is None:
        yield LOT_NOT_GIVEN


def _age(dose: DoseState, birth_date: date, schedule: Schedule) -> Iterator[Check]:
    """Compare the age with those of every step that the vaccine may be."""
    day = dose.occurred_on
    steps = [
        step
        for series in schedule.series
        if series.holds_for(birth_date, day)
        for pathway in series.pathways
        for step in pathway
        if dose.vaccine in step.vaccines
    ]
    if not steps:
        return
    if day < min(step.min_age_on(day).after(birth_date) for step in steps):
        yield TOO_YOUNG
    ends = [step.not_from.after(birth_date) for step in steps if step.not_from is not None]
    if len(ends) == len(steps) and day >= max(ends):
        yield TOO_OLD


def checks_markdown() -> str:
    """Return the checks as a page of documentation."""
    lines = [
        "# Data quality at the door",
        "",
        "Checks of every dose, whether new, transcribed or corrected. `refuse`: a problem of that",
        "name, nothing is written. `warn` and `note`: written, and told under `remarks` beside the",
        "receipt of a dose or a correction. Two doses that may be one stand under `entered_twice`",
        "of their record too: nothing is dropped, and evaluations count a vaccine group once",
        "a day.",
        "",
        "Remarks stand in the log with the dose (`derived.remarks`). What a clinic wrote in a",
        "period adds up to three shares (`GET /v1/clinics/<id>/quality`,",
        "`GET /v1/divisions/<code>/quality`, `vaxledger quality`): **timeliness**, of given doses",
        "written on their day or the next; **completeness**, of fields filled that may be left",
        "out (national code, number of the dose, preparation; of a transcribed dose product,",
        "maker, lot and expiry); **validity**, of doses without a remark. A correction changes",
        "none: it speaks well of a clinic's data, not ill.",
        "",
        "| id | severity | 中文 | English |",
        "|---|---|---|---|",
        *(
            f"| `{check.id}` | {check.severity.value} | {check.text.zh} | {check.text.en} |"
            for check in CHECKS.values()
        ),
    ]
    return "\n".join(lines) + "\n"
