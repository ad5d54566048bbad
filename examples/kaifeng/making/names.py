"""Names put together at random from common surnames and characters."""

from domain.identity import Sex
from examples.kaifeng.making.draw import Draw

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
)
BOYS = "子浩宇轩博文俊杰明哲天佑嘉瑞一鸣思远泽铭志强家豪晨睿旭尧景航承恩立诚书恒逸凡安奕"
GIRLS = "子涵雨欣诗琪梦瑶思颖佳怡可馨语桐一诺嘉宁若曦心悦静雯晓彤芷晴雅文书瑶妍清如意念安"
MEN = "建国伟强军勇涛斌磊鹏辉志刚海波永亮超峰飞东洋"
WOMEN = "秀英丽娟艳红敏静燕霞玲慧芳晓梅春花爱华娜倩莉"


def child_name(surname: str, sex: Sex, draw: Draw) -> str:
    """Return a child's full name: one character after the surname in a tenth, else two."""
    characters = BOYS if sex == "male" else GIRLS
    return surname + _given(characters, draw, one_in_hundred=10)


def adult_name(surname: str, sex: Sex, draw: Draw) -> str:
    """Return an adult's full name."""
    return surname + _given(MEN if sex == "male" else WOMEN, draw, one_in_hundred=30)


def surname(draw: Draw) -> str:
    """Return a surname; the first of the list are drawn more often, as in life."""
    return SURNAMES[min(draw.below(len(SURNAMES)), draw.below(len(SURNAMES)))]


def _given(characters: str, draw: Draw, *, one_in_hundred: int) -> str:
    first = draw.pick(characters)
    return first if draw.chance(one_in_hundred) else first + draw.pick(characters)
