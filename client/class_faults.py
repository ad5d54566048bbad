"""What can be wrong with a row of a class list, in the words that its school needs to mend it."""

from domain.errors import DomainError


class TwoChildren(DomainError):
    """This row names more than one child."""

    code = "two-children"
    zh = "一行只能填写一名儿童。"


class RowTwice(DomainError):
    """An earlier row has this child, or this number of the class, already."""

    code = "row-twice"
    zh = "该儿童或该班编号与前面的行重复。"


class CellEmpty(DomainError):
    """This cell must be filled."""

    code = "cell-empty"
    zh = "该栏不能为空。"


class NoSuchDay(DomainError):
    """There is no such day: write it like 2020-06-15."""

    code = "no-such-day"
    zh = "没有这一天，请按 2020-06-15 的形式填写。"


class NotBornThen(DomainError):
    """No pupil is born then: the day lies before 1990, or after the first day at the school."""

    code = "not-born-then"
    zh = "出生日期不合理：早于1990年，或晚于入学日期。"


class SexUnknown(DomainError):
    """This is neither 男 nor 女."""

    code = "sex-unknown"
    zh = "性别只能填“男”或“女”。"


class AdmissionUnknown(DomainError):
    """This is none of 新生, 转学, 借读 and 春季."""

    code = "admission-unknown"
    zh = "入学方式只能填“新生”“转学”“借读”或“春季”。"


class NumberOutOfRange(DomainError):
    """The number in the class is a whole number from 1 to 9999."""

    code = "number-out-of-range"
    zh = "编号须为1至9999的整数。"


class TextRefused(DomainError):
    """This text is longer than 50 characters, or has control characters."""

    code = "text-refused"
    zh = "文字超过50个字，或含控制字符。"
