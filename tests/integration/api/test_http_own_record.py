"""A guardian takes the record along, with what proves it."""

from dataclasses import replace

from client.dossier import verify_dossier
from client.trust import Trust
from commands.principal import Role
from tests.drafts import id_number
from tests.integration.api.conftest import (
    County,
    citizen,
    dose,
    doses_path,
    register,
)


def test_a_guardian_exports_the_record_and_it_proves_itself(county: County):
    number = id_number("19880102", is_female=True)
    child = register(county.clinic, mother_number=number)
    assert county.clinic.post(doses_path(child), dose(county.clinic, child)).status_code == 201
    head = county.served.caught_up()
    mother = citizen(county.served, number)
    answer = mother.get(f"/v1/records/{child.record}/own", at_least=head)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["record"]["recipient"]["name"] == "王小明"
    assert [one["vaccine"] for one in body["record"]["doses"]] == ["HepB"]
    assert body["record"]["guardians"][0]["id_number"] == number
    origin = county.served.parts.settings.origin
    trust = Trust.parse(county.served.http.get("/log.vkey").content, origin)
    proven = verify_dossier(body["dossier"], trust)
    assert (proven.record, len(proven.entries)) == (child.record, 2)
    reads = county.cdc.get(f"/v1/records/{child.record}/access").json()["reads"]
    assert ("own-record", "own-record") in [(read["what"], read["purpose"]) for read in reads]


def test_to_everyone_else_the_record_does_not_exist(county: County):
    child = register(county.clinic)
    county.served.caught_up()
    stranger = citizen(county.served, id_number("19900101"))
    unknown = replace(child, record=child.handle)
    for one in (child, unknown):
        answer = stranger.get(f"/v1/records/{one.record}/own")
        assert answer.status_code == 404
    assert county.clinic.get(f"/v1/records/{child.record}/own").status_code == 403
    adult = citizen(county.served, child.mother_number, role=Role.ADULT)
    assert adult.get(f"/v1/records/{child.record}/own").status_code == 200, "known by the number"
