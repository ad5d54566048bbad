"""What evaluations are asked and answer, in the interface's description."""

from collections.abc import Mapping
from typing import Any

from api.schema_objects import DAY, REF, described
from domain.certificate_rules.case import RULES as CERTIFICATE_RULES
from domain.roll_up.case import KINDS as ROLL_UP_KINDS
from domain.schedules.schedule import SHIPPED

_DOSE = described(
    "A dose; the vaccine by symbol, four-digit code or name.",
    vaccine={"type": "string"},
    date=DAY,
)
EVALUATIONS: Mapping[str, Any] = {
    "SchoolEntryCase": {
        **described(
            "A child on the day of the check.",
            birth_date=DAY,
            check_date=DAY,
            entry_type={"enum": ["kindergarten", "primary"]},
            has_certificate={"type": "boolean"},
            doses={"type": "array", "items": _DOSE},
            contraindications={
                "type": "array",
                "items": described(
                    "Permanent ones exempt, temporary ones postpone.",
                    vaccine_group={"type": "string"},
                    kind={"enum": ["permanent", "temporary"]},
                ),
            },
        ),
        "required": ["birth_date", "check_date", "entry_type", "has_certificate", "doses"],
    },
    "SchoolEntryVerdict": described(
        "The verdict, with what stands behind it.",
        age_years={"type": "integer"},
        complete={"type": ["boolean", "null"]},
        missing={"type": "array", "items": {"$ref": f"{REF}Gap"}},
        annex1_row={"type": ["integer", "null"]},
        exempt={"type": "array", "items": {"$ref": f"{REF}Gap"}},
        annex2_template={"enum": [1, 2, "2+contraindication_note", None]},
        reissue_certificate={"type": "boolean"},
        explanation={"type": "object"},
    ),
    "ImmunizationCase": {
        **described(
            "A child on the day asked about.",
            birth_date=DAY,
            asked_on=DAY,
            sex={"enum": ["female", "male"]},
            schedule={"enum": list(SHIPPED), "description": "Else the one in force on the day."},
            doses={"type": "array", "items": _DOSE},
            contraindications={
                "type": "array",
                "items": {
                    **described(
                        "Against a vaccine group or a vaccine. Permanent ones exempt, temporary "
                        "ones postpone.",
                        vaccine_group={"type": "string"},
                        vaccine={"type": "string"},
                        kind={"enum": ["permanent", "temporary"]},
                        until={**DAY, "description": "Last day of a temporary one."},
                    ),
                    "required": ["kind"],
                },
            },
            conditions={"type": "array", "items": {"type": "string"}},
            immunoglobulins={"type": "array", "items": DAY},
        ),
        "required": ["birth_date", "asked_on", "doses"],
    },
    "ImmunizationEvaluation": described(
        "Every dose by series, every series with its next dose, and what stands behind them.",
        schedule={"type": "string"},
        doses={"type": "array", "items": {"type": "object"}},
        series={"type": "object", "additionalProperties": {"type": "object"}},
        explanation={"type": "object"},
    ),
    "CertificateCase": described(
        "A question to the rules of electronic certificates; `rule` says what `input` holds.",
        rule={"enum": list(CERTIFICATE_RULES)},
        input={"type": "object"},
    ),
    "RollUpCase": described(
        "A question to the rules of registers and roll-ups, answered as is usual for its kind.",
        kind={"enum": sorted(ROLL_UP_KINDS)},
        input={"type": "object"},
    ),
    "AppointmentCase": {
        "type": "object",
        "description": "A question to the booking rules; its members tell what is asked.",
    },
    "RulesAnswer": described(
        "What the rules say, and the sentences behind it.",
        actual={"type": "object"},
        explanation={"type": "object"},
    ),
}
