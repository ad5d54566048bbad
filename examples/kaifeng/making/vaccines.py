"""The products in the clinics' refrigerators: who made them, which lots, how they are given."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from domain.calendar import add_months
from examples.kaifeng.making.draw import Draw

TRIVALENT_POLIO_ENDS = date(2016, 5, 1)
"""From this day China gave bivalent oral polio vaccine and one dose of the inactivated one."""

INFANT_MONTHS = 24
SHELF_MONTHS = 9
"""From manufacture to the quarter in which a lot is used."""


@dataclass(frozen=True)
class Product:
    """A product as the catalogue and the package name it.

    Attributes:
        vaccine: code of the vaccine catalogue.
        national_code: four digits (E-17), or None where the group has no code of its own.
        name: as on the package.
        maker: name of the maker (E-18).
        tracing: five digits of its package codes.
        route: how it is given.
        sites: where, in infants; the arm of the same side from two years on.
        quantity: of one dose.
        life_months: from manufacture to expiry.
    """

    vaccine: str
    national_code: str | None
    name: str
    maker: str
    tracing: str
    route: str
    sites: tuple[str, ...]
    quantity: str = "0.5 mL"
    life_months: int = 24

    def lot(self, day: date, clinic_number: int) -> tuple[str, date]:
        """Return the lot in use at a clinic on a day, and its last day of use.

        A lot serves for a quarter; the clinics of a township share one.
        """
        lot, made = _lot(self.tracing, day.year, (day.month - 1) // 3, clinic_number // 2)
        return lot, add_months(made, self.life_months)

    def site(self, age_months: int, turn: int) -> str:
        """Return the site of the `turn`-th dose: arms and thighs are used in turns."""
        site = self.sites[turn % len(self.sites)]
        return ARMS.get(site, site) if age_months >= INFANT_MONTHS else site


@lru_cache(maxsize=4096)
def _lot(tracing: str, year: int, quarter: int, township: int) -> tuple[str, date]:
    """The lot that a township has of a product in a quarter, and the day it was made."""
    first_day = date(year, quarter * 3 + 1, 1)
    made = add_months(first_day, -SHELF_MONTHS)
    draw = Draw(f"lot/{tracing}/{first_day}/{township}")
    made = made.replace(day=draw.between(1, 28))
    return f"{made:%Y%m}{2 * draw.between(1, 40) + township:03d}", made


LEFT_ARM, RIGHT_ARM, LEFT_THIGH, RIGHT_THIGH, MOUTH = "LA", "RA", "LT", "RT", "ORAL"
ARMS = {LEFT_THIGH: LEFT_ARM, RIGHT_THIGH: RIGHT_ARM}
MUSCLE = ("IM", (RIGHT_THIGH, LEFT_THIGH))
ARM_MUSCLE = ("IM", (RIGHT_ARM, LEFT_ARM))
SKIN_LEFT = ("SC", (LEFT_ARM,))
SKIN_RIGHT = ("SC", (RIGHT_ARM,))
BY_MOUTH = ("PO", (MOUTH,))

_PRODUCTS = (
    Product("BCG", "0101", "皮内注射用卡介苗", "成都生物", "11001", "ID", (LEFT_ARM,), "0.1 mL"),
    Product("HepB", "0201", "重组乙型肝炎疫苗（酿酒酵母）", "北京生物", "02001", *ARM_MUSCLE),
    Product(
        "OPV", "0311", "口服Ⅰ型Ⅲ型脊髓灰质炎减毒活疫苗", "北京生物", "02002", *BY_MOUTH, "0.1 mL"
    ),
    Product("IPV", "0303", "脊髓灰质炎灭活疫苗（Sabin株）", "医科院", "12002", *MUSCLE),
    Product("DTaP", "0402", "吸附无细胞百白破联合疫苗", "武汉生物", "10001", *MUSCLE),
    Product("DT", "0601", "吸附白喉破伤风联合疫苗", "武汉生物", "10002", *ARM_MUSCLE),
    Product("MR", "1401", "麻疹风疹联合减毒活疫苗", "北京生物", "02003", *SKIN_LEFT, "0.5 mL", 18),
    Product(
        "MMR",
        "1201",
        "麻疹腮腺炎风疹联合减毒活疫苗",
        "北京生物",
        "02004",
        *SKIN_RIGHT,
        "0.5 mL",
        18,
    ),
    Product("MPSV-A", "1601", "A群脑膜炎球菌多糖疫苗", "武汉生物", "10003", *SKIN_LEFT),
    Product("MPSV-AC", "1701", "A群C群脑膜炎球菌多糖疫苗", "兰州生物", "13001", *SKIN_LEFT),
    Product("MPCV-AC", "1702", "A群C群脑膜炎球菌多糖结合疫苗", "智飞绿竹", "68001", *MUSCLE),
    Product("MPSV-ACYW135", "1703", "ACYW135群脑膜炎球菌多糖疫苗", "智飞绿竹", "68002", *SKIN_LEFT),
    Product("JE-L", "1801", "乙型脑炎减毒活疫苗", "成都生物", "11002", *SKIN_RIGHT, "0.5 mL", 18),
    Product("JE-I", "1802", "乙型脑炎灭活疫苗（Vero细胞）", "成大生物", "90001", *ARM_MUSCLE),
    Product(
        "HepA-L", "1901", "冻干甲型肝炎减毒活疫苗", "医科院", "12003", *SKIN_LEFT, "0.5 mL", 18
    ),
    Product("HepA-I", "1903", "甲型肝炎灭活疫苗（人二倍体细胞）", "北京科兴", "91001", *ARM_MUSCLE),
    Product("HepAB", "2001", "甲型乙型肝炎联合疫苗", "北京科兴", "91002", *ARM_MUSCLE),
    Product(
        "DTaP-IPV-Hib",
        "5001",
        "吸附无细胞百白破灭活脊髓灰质炎和b型流感嗜血杆菌（结合）联合疫苗",
        "赛诺菲巴斯德",
        "92001",
        *MUSCLE,
        "0.5 mL",
        36,
    ),
    Product(
        "DTaP-Hib", "4901", "无细胞百白破b型流感嗜血杆菌联合疫苗", "民海生物", "93001", *MUSCLE
    ),
    Product("Hib", "2301", "b型流感嗜血杆菌结合疫苗", "兰州生物", "13002", *MUSCLE),
    Product("VarV", "2201", "水痘减毒活疫苗", "长春生物", "14001", *SKIN_RIGHT, "0.5 mL", 24),
    Product(
        "Influenza", "2101", "流感病毒裂解疫苗", "北京科兴", "91003", *ARM_MUSCLE, "0.25 mL", 12
    ),
    Product(
        "Rabies", "2801", "人用狂犬病疫苗（Vero细胞）", "成大生物", "90002", *ARM_MUSCLE, "1.0 mL"
    ),
    Product("PCV13", None, "13价肺炎球菌多糖结合疫苗", "辉瑞", "94001", *MUSCLE, "0.5 mL", 36),
)

_TRIVALENT_POLIO = Product(
    "OPV", "0301", "脊髓灰质炎减毒活疫苗糖丸", "医科院", "12001", *BY_MOUTH, "1 pill"
)

PRODUCTS = {product.vaccine: product for product in _PRODUCTS}


def product(vaccine: str, day: date) -> Product:
    """Return the product of a vaccine that was given on a day."""
    if vaccine == "OPV" and day < TRIVALENT_POLIO_ENDS:
        return _TRIVALENT_POLIO
    return PRODUCTS[vaccine]
