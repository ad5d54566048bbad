"""The organisations of a simulated province, and their admission to a log."""

from collections.abc import Iterator
from uuid import UUID

from cli.demo.actors import Author, Place
from cli.demo.writes import Write
from cli.province.repeatable import write
from client.signing import AuthorKey
from commands.principal import Principal, Role
from examples.kaifeng.making.draw import uuid7
from simulation.province import Province


class Organisations:
    """Who writes: clinics, and the two schools of each clinic's township.

    Ids and keys follow from the province and the log's operator, so that a run that was ended goes
    on as the same organisations.

    Args:
        place: Where they write.
        province: Whose they are.
        name: Names the province and all in it.
    """

    def __init__(self, place: Place, province: Province, name: str) -> None:
        self.name = name
        self._place = place
        self._province = province
        self._operator = Author.operator(place)
        self._authors: dict[UUID, Author] = {}

    def clinic(self, number: int) -> Author:
        """Return a clinic, counted from 0."""
        return self._author(f"clinic/{number}", Role.CLINIC, self._province.township(number))

    def school(self, clinic: int, kind: str) -> Author:
        """Return the ``kindergarten`` or the ``primary`` school of a clinic's township."""
        return self._author(f"{kind}/{clinic}", Role.SCHOOL, self._province.township(clinic))

    def admissions(self) -> Iterator[Write]:
        """Yield the registration of everyone, in order: counties, then who belongs to them."""
        province = self._province
        for number in range(province.counties):
            county = self._county(number)
            name = f"模拟{number + 1}县疾病预防控制中心"
            yield self._admission(self._operator, county, name)
        for number in range(province.clinics):
            county = self._county(number % province.counties)
            yield self._admission(county, self.clinic(number), province.clinic_name(number))
            for kind in ("kindergarten", "primary"):
                name = province.school_name(number, is_primary=kind == "primary")
                more = {"institution_type": kind, "ownership": "public"}
                yield self._admission(county, self.school(number, kind), name, **more)

    async def close(self) -> None:
        """Close everyone's connections."""
        for author in (self._operator, *self._authors.values()):
            await author.client.close()

    def _county(self, number: int) -> Author:
        return self._author(f"county/{number}", Role.COUNTY_CDC, self._province.county(number))

    def _author(self, name: str, role: Role, division: str) -> Author:
        label = f"{self.name}/{name}"
        organisation = uuid7(label)
        if organisation not in self._authors:
            key = AuthorKey.from_seed(organisation, self._operator.key.derive(label))
            principal = Principal(f"{role}-{organisation}", role, organisation, division)
            self._authors[organisation] = Author(self._place, principal, key)
        return self._authors[organisation]

    def _admission(self, registrar: Author, newcomer: Author, name: str, **more: str) -> Write:
        key, principal = newcomer.key, newcomer.principal
        data = {
            "name": name,
            "kind": principal.role.value,
            "division": principal.division,
            "public_key": key.public.hex(),
            "key_proof": key.proof_of_possession(self._place.trust.origin),
            **more,
        }
        return write(registrar, "organisation.registered.v1", key.organisation, 0, data)
