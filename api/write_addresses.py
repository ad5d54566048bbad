"""The addresses that take signed writes, and the topics each of them takes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """An address that takes signed writes, and the topics it takes."""

    path: str
    operation: str
    topics: tuple[str, ...]

    @property
    def is_for_new_streams(self) -> bool:
        """Whether the first event of a stream is sent here."""
        return "{stream}" not in self.path


_RECORD = "/v1/records/{stream}"
_CORRECTION = "/v1/corrections/{stream}"
_ENROLMENT = "/v1/enrolments/{stream}"
_SUPPLY = "/v1/slot-supplies/{stream}"
_APPOINTMENT = "/v1/appointments/{stream}"
_VISIT = "/v1/visits/{stream}"
_ORGANISATION = "/v1/organisations/{stream}"

ADDRESSES: tuple[Address, ...] = (
    Address("/v1/organisations", "registerOrganisation", ("organisation.registered.v1",)),
    Address(f"{_ORGANISATION}/keys", "registerKey", ("organisation.key-registered.v1",)),
    Address(f"{_ORGANISATION}/revocations", "revokeKey", ("organisation.key-revoked.v1",)),
    Address("/v1/records", "registerRecord", ("vaccination-record.registered.v1",)),
    Address(
        f"{_RECORD}/doses",
        "recordDose",
        (
            "vaccination-record.dose-administered.v1",
            "vaccination-record.dose-transcribed.v1",
        ),
    ),
    Address(
        f"{_RECORD}/contraindications",
        "recordContraindication",
        (
            "vaccination-record.contraindication-recorded.v1",
            "vaccination-record.contraindication-lifted.v1",
        ),
    ),
    Address(
        f"{_RECORD}/adverse-events",
        "reportAdverseEvent",
        (
            "vaccination-record.adverse-event-reported.v1",
            "vaccination-record.adverse-event-classified.v1",
        ),
    ),
    Address(f"{_RECORD}/amendments", "amendIdentity", ("vaccination-record.identity-amended.v1",)),
    Address(
        f"{_RECORD}/guardians",
        "changeGuardians",
        (
            "vaccination-record.guardian-added.v1",
            "vaccination-record.guardian-removed.v1",
        ),
    ),
    Address(f"{_RECORD}/roll", "changeRoll", ("vaccination-record.roll-changed.v1",)),
    Address(
        f"{_RECORD}/merges",
        "mergeRecords",
        (
            "vaccination-record.merged.v1",
            "vaccination-record.separated.v1",
            "vaccination-record.told-apart.v1",
        ),
    ),
    Address(
        f"{_RECORD}/restriction",
        "restrictRecord",
        (
            "vaccination-record.restricted.v1",
            "vaccination-record.restriction-lifted.v1",
        ),
    ),
    Address(
        f"{_RECORD}/shredding",
        "shredRecord",
        (
            "vaccination-record.shred-requested.v1",
            "vaccination-record.shred-withdrawn.v1",
            "vaccination-record.shredded.v1",
        ),
    ),
    Address("/v1/corrections", "requestCorrection", ("correction.requested.v1",)),
    Address(f"{_CORRECTION}/verification", "verifyCorrection", ("correction.verified.v1",)),
    Address(f"{_CORRECTION}/application", "applyCorrection", ("correction.applied.v1",)),
    Address(f"{_CORRECTION}/rejection", "rejectCorrection", ("correction.rejected.v1",)),
    Address(f"{_CORRECTION}/withdrawal", "withdrawCorrection", ("correction.withdrawn.v1",)),
    Address("/v1/enrolments", "enrol", ("enrolment.enrolled.v1",)),
    Address(f"{_ENROLMENT}/checks", "checkEnrolment", ("enrolment.checked.v1",)),
    Address(
        f"{_ENROLMENT}/reissues",
        "recordCertificateReissue",
        ("enrolment.certificate-reissued.v1",),
    ),
    Address(f"{_ENROLMENT}/rechecks", "recheckEnrolment", ("enrolment.rechecked.v1",)),
    Address(f"{_ENROLMENT}/restatements", "restateCheck", ("enrolment.check-restated.v1",)),
    Address(f"{_ENROLMENT}/notices", "giveNotice", ("enrolment.notice-given.v1",)),
    Address("/v1/check-statements", "issueCheckStatement", ("check-statement.issued.v1",)),
    Address(
        "/v1/check-statements/{stream}/rows",
        "recordMakeup",
        ("check-statement.makeup-recorded.v1",),
    ),
    Address("/v1/slot-supplies", "openSlotSupply", ("slot-supply.opened.v1",)),
    Address(
        f"{_SUPPLY}/capacity",
        "changeCapacity",
        ("slot-supply.raised.v1", "slot-supply.lowered.v1"),
    ),
    Address(f"{_SUPPLY}/closing", "closeSlot", ("slot-supply.closed.v1",)),
    Address(f"{_SUPPLY}/hours", "moveSlot", ("slot-supply.slot-moved.v1",)),
    Address(f"{_APPOINTMENT}/verification", "verifyAppointment", ("appointment.verified.v1",)),
    Address(f"{_APPOINTMENT}/redemption", "redeemAppointment", ("appointment.redeemed.v1",)),
    Address(f"{_APPOINTMENT}/calling-off", "callOffAppointment", ("appointment.called-off.v1",)),
    Address(f"{_APPOINTMENT}/follow-ups", "followUpAppointment", ("appointment.followed-up.v1",)),
    Address(f"{_VISIT}/registration", "registerVisit", ("visit.registered.v1",)),
    Address(f"{_VISIT}/vaccination", "recordVisitDoses", ("visit.vaccinated.v1",)),
    Address(f"{_VISIT}/observation", "endObservation", ("visit.observed.v1",)),
    Address(f"{_VISIT}/departure", "leaveVisit", ("visit.left.v1",)),
    Address("/v1/paper-comparisons", "reportDifference", ("paper-comparison.differed.v1",)),
    Address(
        "/v1/paper-comparisons/{stream}/settlement",
        "settleDifference",
        ("paper-comparison.settled.v1",),
    ),
    Address("/v1/preparations", "recordPreparation", ("preparation.recorded.v1",)),
    Address("/v1/register-reports", "submitRegisters", ("register-report.submitted.v1",)),
    Address("/v1/roll-up-reports", "submitRollUp", ("roll-up-report.submitted.v1",)),
    Address("/v1/log/rotations", "introduceLogKey", ("log.key-introduced.v1",)),
    Address("/v1/log/rotations/{stream}/retirement", "retireLogKey", ("log.key-retired.v1",)),
)
