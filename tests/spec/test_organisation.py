"""Who may be registered by whom, and which keys sign when (DESIGN section 7)."""

import pytest

from domain.organisation import (
    InstitutionType,
    InstitutionTypeMissing,
    KeyAlreadyRegistered,
    KeyNotRegistered,
    KeyProofMissing,
    NotEntitledToRegister,
    Organisation,
    OrganisationKind,
    Ownership,
    RevocationReason,
    key_id,
)
from tests.spec.actors import (
    CLINIC,
    PROOF,
    ROOT_KEY,
    SCHOOL,
    TODAY,
    at,
    clinic,
    county_cdc,
    handle,
    operator,
    organisation,
    school,
)

NEW_KEY = "12" * 32


def test_the_operator_opens_the_log_with_its_own_key():
    assert operator().is_key_valid(key_id(ROOT_KEY))


def test_nobody_opens_the_log_without_a_root_key():
    with pytest.raises(KeyProofMissing):
        Organisation.register(
            handle(99),
            registrar=None,
            recorded_at=at(TODAY),
            name="运营单位",
            kind=OrganisationKind.OPERATOR,
            division="410200",
        )


def test_nobody_registers_a_second_operator():
    with pytest.raises(NotEntitledToRegister):
        organisation(handle(99), OrganisationKind.OPERATOR, registrar=operator())


def test_nobody_but_the_operator_registers_itself():
    with pytest.raises(NotEntitledToRegister):
        Organisation.register(
            CLINIC,
            registrar=None,
            recorded_at=at(TODAY),
            name="门诊",
            kind=OrganisationKind.CLINIC,
            division="410221001",
            public_key=ROOT_KEY,
            key_proof=PROOF,
        )


@pytest.mark.parametrize("kind", [OrganisationKind.TOWNSHIP, OrganisationKind.CLINIC])
def test_a_county_cdc_registers_the_units_of_its_county(kind):
    assert organisation(handle(99), kind, "410221003").division == "410221003"


def test_a_county_cdc_registers_a_private_kindergarten_like_any_other():
    """S-1: every institution is in scope, whatever its ownership."""
    assert school().ownership is Ownership.PRIVATE


def test_a_county_cdc_registers_nothing_in_another_county():
    with pytest.raises(NotEntitledToRegister):
        organisation(handle(99), OrganisationKind.CLINIC, "410222001")


@pytest.mark.parametrize(
    "kind",
    [OrganisationKind.COUNTY_CDC, OrganisationKind.REGULATOR, OrganisationKind.INTEGRATOR],
)
def test_only_the_operator_registers_everyone_else(kind):
    assert organisation(handle(99), kind, registrar=operator()).kind is kind
    with pytest.raises(NotEntitledToRegister):
        organisation(handle(99), kind)


def test_a_clinic_registers_nobody():
    with pytest.raises(NotEntitledToRegister):
        organisation(handle(99), OrganisationKind.SCHOOL, registrar=clinic())


def test_a_school_is_registered_with_its_type_and_ownership():
    with pytest.raises(InstitutionTypeMissing):
        organisation(SCHOOL, OrganisationKind.SCHOOL)


def test_a_clinic_has_no_institution_type():
    with pytest.raises(InstitutionTypeMissing):
        organisation(CLINIC, OrganisationKind.CLINIC, institution_type=InstitutionType.PRIMARY)


def test_a_key_without_proof_of_possession_is_refused():
    with pytest.raises(KeyProofMissing):
        organisation(CLINIC, OrganisationKind.CLINIC, public_key=NEW_KEY)


def test_a_revoked_key_is_valid_for_what_it_signed_before_and_for_nothing_after():
    cdc = county_cdc()
    cdc.register_key(recorded_at=at(TODAY), public_key=NEW_KEY, key_proof=PROOF)
    came = cdc.version
    cdc.revoke_key(
        recorded_at=at(TODAY), keyid=key_id(NEW_KEY), reason=RevocationReason.COMPROMISED
    )
    assert not cdc.is_key_valid(key_id(NEW_KEY))
    assert not cdc.is_key_valid(key_id(NEW_KEY), came - 1)
    assert cdc.is_key_valid(key_id(NEW_KEY), came)
    assert not cdc.is_key_valid(key_id(NEW_KEY), cdc.version)
    assert cdc.keys[key_id(NEW_KEY)].reason is RevocationReason.COMPROMISED


def test_a_revoked_key_never_comes_back():
    cdc = county_cdc()
    cdc.register_key(recorded_at=at(TODAY), public_key=NEW_KEY, key_proof=PROOF)
    cdc.revoke_key(recorded_at=at(TODAY), keyid=key_id(NEW_KEY), reason=RevocationReason.LOST)
    with pytest.raises(KeyAlreadyRegistered):
        cdc.register_key(recorded_at=at(TODAY), public_key=NEW_KEY, key_proof=PROOF)


def test_a_key_is_revoked_once():
    cdc = county_cdc()
    with pytest.raises(KeyNotRegistered):
        cdc.revoke_key(recorded_at=at(TODAY), keyid=key_id(NEW_KEY), reason=RevocationReason.LOST)


def test_keys_rotate_while_the_old_one_still_signs():
    root = operator()
    root.register_key(recorded_at=at(TODAY), public_key=NEW_KEY, key_proof=PROOF)
    assert root.is_key_valid(key_id(ROOT_KEY))
    assert root.is_key_valid(key_id(NEW_KEY))
