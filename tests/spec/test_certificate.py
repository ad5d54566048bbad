"""The electronic certificate: who claims it, and whom its holder lets use it (C-5 to C-18)."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.certificate import Certificate, Issued, NotClaimed, NotHolder
from domain.claim import (
    NANTONG_2024,
    AlreadyClaimed,
    ArchiveInMaternity,
    ArchiveNotActive,
    BornBeforeCutoff,
    ClaimFacts,
    EffectiveNextDay,
    FaceNotVerified,
    IdMismatch,
    NoArchive,
    NoConsent,
    NoDoseAfterCutoff,
    NotLoggedIn,
    NotPilotCity,
    OwnIdNotOnFile,
    ParentIdMismatch,
    ParentIdNotOnFile,
    Under18,
    check_claim,
)
from domain.credential import Content, UnknownCredential
from domain.effect import OnBehalf, OnBehalfOrCaused
from domain.errors import DomainError
from domain.grant import (
    AdultNotGrantable,
    AlreadyGranted,
    GrantEnded,
    GrantLimit,
    GrantRelation,
    GrantToHolder,
    Scope,
    UnknownGrant,
)
from domain.roll import Roll
from domain.topics import check_private
from domain.vocabulary import PersonKind, SourceSystem
from tests.spec.actors import FATHER, MOTHER, RECORD, at, handle

WORKED = json.loads((Path(__file__).parent / "data/certificate.json").read_text(encoding="utf-8"))
TODAY = date(2024, 8, 15)
CERTIFICATE = handle(200)
EVERYWHERE = replace(NANTONG_2024, name="everywhere", cities=None)

CHILD = ClaimFacts(
    kind=PersonKind.CHILD,
    birth_date=date(2020, 3, 15),
    division="320602001",
    roll=Roll.ACTIVE,
    is_id_on_file=True,
    is_id_matching=True,
)
ADULT = ClaimFacts(
    kind=PersonKind.ADULT,
    birth_date=date(1990, 5, 5),
    division="320205",
    roll=Roll.ACTIVE,
    is_id_on_file=True,
    is_id_matching=True,
    doses=((date(2021, 3, 2), SourceSystem.PROGRAMME),),
)


def claim(facts=CHILD, policy=NANTONG_2024, holder=MOTHER):
    return Certificate.claim(
        CERTIFICATE,
        facts=facts,
        policy=policy,
        derived=Issued("0f" * 16, MOTHER),
        recorded_at=at(TODAY),
        record=RECORD,
        kind=facts.kind,
        division="320602001",
        holder=holder,
    )


def grant(certificate, grantee, *, by=MOTHER, day=TODAY, **fields):
    certificate.grant(
        policy=NANTONG_2024,
        derived=OnBehalf(by),
        recorded_at=at(day),
        **{
            "grant": handle(1000 + grantee.int),
            "grantee": grantee,
            "relation": GrantRelation.GRANDMOTHER,
            "scope": (Scope.VIEW,),
            **fields,
        },
    )
    return certificate


def revoke(certificate, grantee, by=MOTHER):
    certificate.revoke_grant(
        derived=OnBehalf(by), recorded_at=at(TODAY), grant=handle(1000 + grantee.int)
    )
    return certificate


def refusal(facts, policy=NANTONG_2024, today=TODAY):
    with pytest.raises(DomainError) as refused:
        check_claim(facts, policy, today)
    return type(refused.value)


class TestClaim:
    def test_a_mother_claims_her_childs_certificate(self):
        certificate = claim()
        assert certificate.holder == MOTHER
        assert certificate.identifier == "0f" * 16

    def test_the_claimant_becomes_the_holder_and_nobody_else(self):
        with pytest.raises(NotHolder):
            claim(holder=FATHER)

    def test_a_certificate_has_one_holder(self):
        """C-14."""
        with pytest.raises(AlreadyClaimed):
            claim(replace(CHILD, is_claimed=True))

    def test_a_child_born_on_the_first_day_is_eligible(self):
        """C-5, X-1: 以后 includes the day."""
        check_claim(replace(CHILD, birth_date=date(2017, 1, 1)), NANTONG_2024, TODAY)
        assert refusal(replace(CHILD, birth_date=date(2016, 12, 31))) is BornBeforeCutoff

    def test_an_adult_needs_a_dose_since_the_first_day(self):
        """C-6, X-1."""
        on = date(2020, 12, 1)
        fits = replace(ADULT, doses=((on, SourceSystem.PROGRAMME),))
        check_claim(fits, NANTONG_2024, TODAY)
        early = replace(ADULT, doses=((on - timedelta(days=1), SourceSystem.PROGRAMME),))
        assert refusal(early) is NoDoseAfterCutoff

    def test_a_dose_of_the_bite_injury_system_makes_nobody_eligible(self):
        """C-20: the system decides, not the vaccine."""
        bitten = replace(ADULT, doses=((date(2021, 5, 1), SourceSystem.BITE_INJURY),))
        assert refusal(bitten) is NoDoseAfterCutoff

    def test_the_age_is_asked_now_not_at_the_dose(self):
        """C-6."""
        young = replace(ADULT, birth_date=date(2006, 8, 16))
        assert refusal(young) is Under18
        check_claim(young, NANTONG_2024, date(2024, 8, 16))

    @pytest.mark.parametrize("roll", [Roll.MOVED_OUT, Roll.DECEASED, None])
    def test_the_record_is_on_the_roll(self, roll):
        """C-8."""
        assert refusal(replace(CHILD, roll=roll)) is ArchiveNotActive

    def test_the_record_is_in_a_city_that_issues_certificates(self):
        """C-8: 和 is either, not both."""
        kaifeng = replace(CHILD, division="410221001")
        assert refusal(kaifeng) is NotPilotCity
        check_claim(kaifeng, EVERYWHERE, TODAY)

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            (replace(CHILD, is_logged_in=False), NotLoggedIn),
            (replace(CHILD, is_face_verified=False), FaceNotVerified),
            (replace(CHILD, has_consented=False), NoConsent),
            (replace(CHILD, division=None), NoArchive),
            (replace(CHILD, is_in_maternity=True), ArchiveInMaternity),
            (replace(CHILD, is_id_on_file=False), ParentIdNotOnFile),
            (replace(CHILD, is_id_matching=False), ParentIdMismatch),
            (replace(ADULT, is_id_on_file=False), OwnIdNotOnFile),
            (replace(ADULT, is_id_matching=False), IdMismatch),
        ],
    )
    def test_every_refusal_has_a_reason_of_its_own(self, facts, expected):
        """C-9, C-10, C-12, C-24."""
        assert refusal(facts) is expected

    def test_an_identity_entered_today_counts_tomorrow(self):
        """C-23."""
        new = replace(CHILD, identity_effective_on=TODAY + timedelta(days=1))
        assert refusal(new) is EffectiveNextDay
        check_claim(new, NANTONG_2024, TODAY + timedelta(days=1))
        check_claim(new, replace(NANTONG_2024, identity_next_day=False), TODAY)


class TestGrant:
    def test_the_holder_lets_a_grandmother_see_it(self):
        certificate = grant(claim(), handle(300))
        assert [g.grantee for g in certificate.active_grants(TODAY)] == [handle(300)]

    def test_nobody_but_the_holder_grants(self):
        """C-18."""
        with pytest.raises(NotHolder):
            grant(claim(), handle(300), by=FATHER)

    def test_an_adults_certificate_is_not_granted(self):
        """C-15."""
        with pytest.raises(AdultNotGrantable):
            grant(claim(ADULT), handle(300))

    def test_ten_persons_at_most(self):
        """C-17."""
        certificate = claim()
        for number in range(10):
            grant(certificate, handle(300 + number))
        with pytest.raises(GrantLimit):
            grant(certificate, handle(310))

    def test_the_same_person_again_is_no_eleventh(self):
        """C-17: the answer is that the grant is there, not that there are too many."""
        certificate = claim()
        for number in range(10):
            grant(certificate, handle(300 + number))
        with pytest.raises(AlreadyGranted):
            grant(certificate, handle(300), grant=handle(5000))

    def test_a_revoked_grant_makes_room(self):
        certificate = claim()
        for number in range(10):
            grant(certificate, handle(300 + number))
        revoke(certificate, handle(300))
        grant(certificate, handle(310))
        assert len(certificate.active_grants(TODAY)) == 10
        assert len(certificate.grants) == 11

    def test_a_grant_holds_on_its_last_day_and_makes_room_on_the_next(self):
        certificate = grant(claim(), handle(300), ends_on=TODAY)
        assert certificate.active_grants(TODAY)
        tomorrow = TODAY + timedelta(days=1)
        assert not certificate.active_grants(tomorrow)
        grant(certificate, handle(300), day=tomorrow, grant=handle(5000))

    def test_a_grant_does_not_end_before_it_starts(self):
        with pytest.raises(GrantEnded):
            grant(claim(), handle(300), ends_on=TODAY - timedelta(days=1))

    def test_the_holder_needs_no_grant(self):
        with pytest.raises(GrantToHolder):
            grant(claim(), MOTHER)

    def test_a_grant_is_revoked_once_and_by_the_holder(self):
        certificate = grant(claim(), handle(300))
        with pytest.raises(UnknownGrant):
            revoke(certificate, handle(301))
        with pytest.raises(NotHolder):
            revoke(certificate, handle(300), by=FATHER)
        revoke(certificate, handle(300))
        with pytest.raises(GrantEnded):
            revoke(certificate, handle(300))


class TestRelease:
    def release(self, certificate, by=MOTHER):
        certificate.release(
            derived=OnBehalfOrCaused(by), recorded_at=at(TODAY), reason="change-of-holder"
        )
        return certificate

    def test_a_released_certificate_has_no_grants_any_more(self):
        certificate = self.release(grant(claim(), handle(300)))
        assert certificate.is_released
        assert certificate.active_grants(TODAY) == ()

    def test_a_released_certificate_is_nobodys(self):
        certificate = self.release(claim())
        with pytest.raises(NotClaimed):
            grant(certificate, handle(300))
        with pytest.raises(NotClaimed):
            self.release(certificate)

    def test_only_the_holder_releases_it(self):
        with pytest.raises(NotHolder):
            self.release(claim(), by=FATHER)


class TestLostCredential:
    def issued(self, certificate, credential):
        certificate.issue_credential(
            recorded_at=at(TODAY),
            credential=credential,
            content=Content.HISTORY,
            status_list=0,
            status_index=7,
            issuer="CN-320600",
            key="0f" * 8,
            reflects=12,
            effective_on=TODAY,
            expires_on=TODAY + timedelta(days=365),
            supersedes=(),
        )
        return certificate

    def revoke(self, certificate, credential, by=MOTHER):
        certificate.revoke_credential(
            derived=OnBehalf(by), recorded_at=at(TODAY), credential=credential, reason="lost"
        )
        return certificate

    def test_the_lost_one_alone_holds_no_more(self):
        lost, kept = handle(600), handle(601)
        certificate = self.issued(self.issued(claim(), lost), kept)
        assert list(self.revoke(certificate, lost).credentials) == [kept]

    def test_it_is_revoked_once_and_by_the_holder(self):
        certificate = self.issued(claim(), handle(600))
        with pytest.raises(NotHolder):
            self.revoke(certificate, handle(600), by=FATHER)
        with pytest.raises(UnknownCredential):
            self.revoke(certificate, handle(601))
        self.revoke(certificate, handle(600))
        with pytest.raises(UnknownCredential):
            self.revoke(certificate, handle(600))


CITIES = {"南通市": "320602", "无锡市": "320205"}
SYSTEMS = {"rabies_exposure": SourceSystem.BITE_INJURY, "adult_child": SourceSystem.PROGRAMME}


def facts_of(case):
    """A worked case in our terms."""
    kind = PersonKind.CHILD if "child" in case else PersonKind.ADULT
    person = case["child" if kind is PersonKind.CHILD else "person"]
    archive = person["archive"]
    numbers = archive["parent_ids"] if kind is PersonKind.CHILD else [archive["own_id"]]
    entered = archive["parent_ids_entered_on"]
    return ClaimFacts(
        kind=kind,
        birth_date=date.fromisoformat(person["birth_date"]),
        division=CITIES.get(archive["city"], "000000"),
        roll=Roll.ACTIVE if archive["status"] == "active" else Roll.MOVED_OUT,
        is_id_on_file=any(numbers),
        is_id_matching=case["applicant_sufuban_id"] in numbers,
        is_logged_in=case["logged_in"],
        is_face_verified=case["face_verified"],
        has_consented=case["consented"],
        is_in_maternity=archive["held_by"] == "maternity",
        doses=tuple(
            (date.fromisoformat(dose["date"]), SYSTEMS[dose["system"]])
            for dose in person.get("doses", ())
        ),
        identity_effective_on=entered and date.fromisoformat(entered) + timedelta(days=1),
        is_claimed=bool(person.get("claimed_by")) or case.get("already_claimed", False),
    )


@pytest.mark.parametrize(
    "case",
    [case for case in WORKED["cases"] if case["rule"].startswith("claim")],
    ids=lambda case: case["id"],
)
def test_a_worked_claim_is_decided_as_worked(case):
    reason = None
    try:
        check_claim(
            facts_of(case["input"]), NANTONG_2024, date.fromisoformat(case["input"]["today"])
        )
    except DomainError as refused:
        reason = refused.code
    assert {"allowed": reason is None, "reason": reason} == case["expected"], case["why"]


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [
        ("name", "missing_name"),
        ("id_number", "missing_id_number"),
        ("phone", "missing_phone"),
        ("relation", "missing_relation"),
    ],
)
def test_four_fields_of_a_grantee_are_mandatory(left_out, reason):
    """C-16."""
    values = {
        "name": "王五",
        "id_number": "11010519491231002X",
        "phone": "13900000000",
        "relation": "外婆",
    }
    assert check_private("certificate.granted.v1", "grantee", values)["name"] == "王五"
    del values[left_out]
    with pytest.raises(DomainError) as refused:
        check_private("certificate.granted.v1", "grantee", values)
    assert refused.value.code == reason


def test_the_reasons_are_the_vocabulary_of_the_worked_cases():
    from domain import certificate, claim, correction, grant

    codes = {
        error.code
        for module in (certificate, claim, correction, grant)
        for error in vars(module).values()
        if isinstance(error, type) and issubclass(error, DomainError)
    }
    assert set(WORKED["meta"]["reasons"]) <= codes
