"""`vaxledger token`: an access token of the development issuer, for trying things out."""

import time
from typing import Annotated
from uuid import UUID

import typer

from bootstrap.log_keys import installation_secrets
from bootstrap.settings import Settings
from bootstrap.tokens import DevelopmentIssuer
from commands.principal import Principal, Role, VerifiedIdentity

MAX_HOURS = 24


def token(
    role: Annotated[Role, typer.Argument(help="角色 · role")],
    *,
    organisation: Annotated[UUID | None, typer.Option(help="机构 · stream id")] = None,
    division: Annotated[str, typer.Option(help="区划前缀 · division prefix")] = "",
    name: Annotated[str, typer.Option(help="实名 · a citizen's name")] = "",
    id_number: Annotated[str, typer.Option(help="身份证号 · a citizen's number")] = "",
    hours: Annotated[int, typer.Option(min=1, max=MAX_HOURS, help="有效小时数 · for how long")] = 1,
) -> None:
    """生成测试用访问令牌。Print an access token of this installation's development issuer."""
    secrets = installation_secrets(Settings.load())
    identity = (
        VerifiedIdentity(name, id_number, None, face_verified=True)
        if role in (Role.GUARDIAN, Role.ADULT)
        else None
    )
    owner = organisation or (secrets.operator if identity is None else None)
    principal = Principal(f"development-{role}", role, owner, division, identity)
    issuer = DevelopmentIssuer(secrets.seeds["issuer"])
    print(issuer.mint(principal, issued_at=int(time.time()), lifetime_seconds=hours * 3600))
