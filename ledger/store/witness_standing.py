"""How it stands with a witness, as the log's database has it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WitnessStanding:
    """How it stands with a witness.

    Attributes:
        name: Its name in cosignatures.
        cosigned: Size of its newest cosignature, None if it never gave one.
        cosigned_at: When that was had.
        failing_since: When it first failed since then, None if it did not.
        problem: What happened last, as a slug.
        alarm: What its answers mean, where they mean that the log tells two histories.
        refusals: How often it refused.
        alarms: How often that was an alarm.
    """

    name: str
    cosigned: int | None
    cosigned_at: datetime | None
    failing_since: datetime | None
    problem: str | None
    alarm: str | None
    refusals: int
    alarms: int
