"""A grant: another person's use of a child's electronic certificate (C-15 to C-18)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from domain.errors import DomainError


class Scope(StrEnum):
    """What a grantee may do (C-2)."""

    VIEW = "view"
    SHOW_CODE = "show-code"
    BOOK = "book"


class GrantRelation(StrEnum):
    """What a grantee is to the child (C-16)."""

    MOTHER = "mother"
    FATHER = "father"
    GRANDMOTHER = "grandmother"
    GRANDFATHER = "grandfather"
    RELATIVE = "relative"
    GUARDIAN = "guardian"
    OTHER = "other"


@dataclass(frozen=True)
class Grant:
    """A grant as it stands.

    Attributes:
        grant: its id.
        grantee: handle of the person it is for.
        relation: what that person is to the child.
        scope: what that person may do.
        ends_on: last civil day on which it holds, or None.
        revoked: whether the holder took it back.
    """

    grant: UUID
    grantee: UUID
    relation: GrantRelation
    scope: tuple[Scope, ...]
    ends_on: date | None = None
    revoked: bool = False

    def is_active_on(self, day: date) -> bool:
        """Whether it holds on that civil day."""
        return not self.revoked and (self.ends_on is None or day <= self.ends_on)


class AdultNotGrantable(DomainError):
    """An adult's certificate is not granted to others."""

    code = "adult_not_grantable"
    zh = "只有儿童的电子预防接种证可以授权，成人的不可以。"


class AlreadyGranted(DomainError):
    """This person has a grant already."""

    code = "already_granted"
    zh = "已授权给此人，不必重复授权。"


class GrantLimit(DomainError):
    """The certificate is granted to as many persons as may be."""

    code = "grant_limit"
    zh = "授权人数已达上限。"


class MissingName(DomainError):
    """The grantee's name is missing."""

    code = "missing_name"
    zh = "请填写被授权人的姓名。"


class MissingIdNumber(DomainError):
    """The grantee's identity number is missing."""

    code = "missing_id_number"
    zh = "请填写被授权人的身份证号。"


class MissingPhone(DomainError):
    """The grantee's telephone number is missing."""

    code = "missing_phone"
    zh = "请填写被授权人的手机号码。"


class MissingRelation(DomainError):
    """The grantee's relation is missing."""

    code = "missing_relation"
    zh = "请填写授权关系。"


class GrantToHolder(DomainError):
    """The holder needs no grant."""

    code = "grant_to_holder"
    zh = "持有人本人无须授权。"


class GrantEnded(DomainError):
    """The grant would end, or has ended, already."""

    code = "grant_ended"
    zh = "该授权已结束。"


class UnknownGrant(DomainError):
    """The certificate has no such grant."""

    code = "unknown_grant"
    zh = "没有该授权。"
