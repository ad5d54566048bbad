"""The county: its divisions, who vaccinates, who runs which classes."""

from dataclasses import dataclass
from uuid import UUID

from examples.kaifeng.making.draw import uuid7
from examples.kaifeng.making.lines import Json

COUNTY = "410299"
TOWNSHIPS = ("410299101", "410299102")
TOWNSHIP_NAMES = ("梧桐镇", "清荷镇")

DIVISIONS: list[Json] = [
    {
        "code": "410000",
        "name": "河南省",
        "name_en": "Henan Province",
        "level": "province",
        "parent": None,
        "synthetic": False,
    },
    {
        "code": "410200",
        "name": "开封市",
        "name_en": "Kaifeng City",
        "level": "city",
        "parent": "410000",
        "synthetic": False,
    },
    {
        "code": COUNTY,
        "name": "汴安县",
        "name_en": "Bian'an County",
        "level": "county",
        "parent": "410200",
        "synthetic": True,
    },
    {
        "code": TOWNSHIPS[0],
        "name": TOWNSHIP_NAMES[0],
        "name_en": "Wutong Town",
        "level": "township",
        "parent": COUNTY,
        "synthetic": True,
    },
    {
        "code": TOWNSHIPS[1],
        "name": TOWNSHIP_NAMES[1],
        "name_en": "Qinghe Town",
        "level": "township",
        "parent": COUNTY,
        "synthetic": True,
    },
]


@dataclass(frozen=True)
class Clinic:
    """A vaccination clinic.

    Attributes:
        number: 0 to 3; two clinics share a township.
        vaccinators: who vaccinates there.
    """

    number: int
    name: str
    name_en: str
    vaccinators: tuple[str, str, str]

    @property
    def id(self) -> UUID:
        """Stream id of the organisation."""
        return uuid7(f"clinic/{self.number}")

    @property
    def division(self) -> str:
        """Township, nine digits."""
        return TOWNSHIPS[self.number // 2]

    @property
    def code(self) -> str:
        """Ten digits: county and four of the unit (E-16)."""
        return f"{COUNTY}01{self.number + 1:02d}"


@dataclass(frozen=True)
class Institution:
    """A kindergarten or primary school with its classes.

    Attributes:
        township: 0 or 1.
        classes: name, number of children, and completed ages to draw from.
    """

    slug: str
    name: str
    name_en: str
    township: int
    institution_type: str
    ownership: str
    classes: tuple[tuple[str, int, tuple[int, ...]], ...]

    @property
    def id(self) -> UUID:
        """Stream id of the organisation."""
        return uuid7(f"institution/{self.slug}")

    @property
    def division(self) -> str:
        """Township, nine digits."""
        return TOWNSHIPS[self.township]


CLINICS = (
    Clinic(
        0,
        "梧桐镇卫生院预防接种门诊",
        "Wutong Town Hospital Vaccination Clinic",
        ("陈秀兰", "周志红", "马晓云"),
    ),
    Clinic(
        1,
        "梧桐镇东街社区卫生服务站预防接种门诊",
        "Wutong East Street Vaccination Clinic",
        ("郭建平", "宋玉玲", "冯春燕"),
    ),
    Clinic(
        2,
        "清荷镇卫生院预防接种门诊",
        "Qinghe Town Hospital Vaccination Clinic",
        ("韩雪梅", "曹国庆", "丁海英"),
    ),
    Clinic(
        3,
        "清荷镇南湖社区卫生服务站预防接种门诊",
        "Qinghe South Lake Vaccination Clinic",
        ("姜丽华", "薛明霞", "任桂芳"),
    ),
)

ENTRY_AGES = (6,) * 17 + (7, 7) + (5,)
INSTITUTIONS = (
    Institution(
        "kindergarten-1",
        "梧桐镇中心幼儿园",
        "Wutong Central Kindergarten",
        0,
        "kindergarten",
        "public",
        (("小小班", 25, (2,)), ("小班", 26, (3,)), ("中班", 24, (4,))),
    ),
    Institution(
        "kindergarten-2",
        "清荷镇小太阳幼儿园",
        "Qinghe Little Sun Kindergarten",
        1,
        "kindergarten",
        "private",
        (("小小班", 24, (2,)), ("小班", 25, (3, 3, 3, 2)), ("大班", 26, (5, 5, 4))),
    ),
    Institution(
        "primary-1",
        "梧桐镇第一小学",
        "Wutong First Primary School",
        0,
        "primary",
        "public",
        (
            ("一年级1班", 25, ENTRY_AGES),
            ("一年级2班", 25, ENTRY_AGES),
            ("一年级3班", 26, ENTRY_AGES),
        ),
    ),
    Institution(
        "primary-2",
        "清荷镇育才学校",
        "Qinghe Yucai School",
        1,
        "primary",
        "private",
        (
            ("一年级1班", 24, ENTRY_AGES),
            ("一年级2班", 25, ENTRY_AGES),
            ("一年级3班", 25, ENTRY_AGES),
        ),
    ),
)

COUNTY_CDC = uuid7("county-cdc")


def township_id(township: int) -> UUID:
    """Return the stream id of a township's hospital, which reports for the township."""
    return uuid7(f"township/{township}")


def organisations() -> list[Json]:
    """Return the organisations, each after the one that it stands beneath.

    The fields are those of `organisation.registered.v1` without keys. Operator and platform are
    made by the installation at its first start, so the county stands beneath nobody here.
    """
    cdc = _organisation(
        COUNTY_CDC, ("汴安县疾病预防控制中心", "Bian'an County CDC"), "county-cdc", COUNTY, None
    )
    townships = [
        _organisation(
            township_id(0),
            ("梧桐镇卫生院", "Wutong Town Hospital"),
            "township",
            TOWNSHIPS[0],
            COUNTY_CDC,
        ),
        _organisation(
            township_id(1),
            ("清荷镇卫生院", "Qinghe Town Hospital"),
            "township",
            TOWNSHIPS[1],
            COUNTY_CDC,
        ),
    ]
    clinics = [
        _organisation(
            clinic.id,
            (clinic.name, clinic.name_en),
            "clinic",
            clinic.division,
            township_id(clinic.number // 2),
        )
        for clinic in CLINICS
    ]
    schools = []
    for school in INSTITUTIONS:
        line = _organisation(
            school.id,
            (school.name, school.name_en),
            "school",
            school.division,
            township_id(school.township),
        )
        line["data"] = {
            **_members(line["data"]),
            "institution_type": school.institution_type,
            "ownership": school.ownership,
        }
        schools.append(line)
    return [cdc, *townships, *clinics, *schools]


def _organisation(
    identity: UUID, names: tuple[str, str], kind: str, division: str, parent: UUID | None
) -> Json:
    data: Json = {"name": names[0], "name_en": names[1], "kind": kind, "division": division}
    if parent is not None:
        data["parent"] = str(parent)
    return {"organisation": str(identity), "data": data}


def _members(value: object) -> Json:
    assert isinstance(value, dict)
    return value
