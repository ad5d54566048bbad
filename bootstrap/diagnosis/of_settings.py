"""Traps that the settings alone show."""

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from bootstrap.diagnosis.trap import Trap
from bootstrap.secret_files import SECRETS
from bootstrap.settings import Settings

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MIN_PASSWORD = 16
_BARE = ("nats_password", "notices_token")
_KEYWORD_PASSWORD = re.compile(r"(?:^|\s)password\s*=\s*'?([^'\s]*)").search


def of_settings(settings: Settings) -> Iterator[Trap]:
    """Yield what is not fit to be relied on."""
    yield from _servers(settings)
    yield from _front(settings)
    yield from _secrets(settings)


def _servers(settings: Settings) -> Iterator[Trap]:
    for name, given in (("PostgreSQL", settings.database_url), ("NATS", settings.nats_url)):
        if given is None:
            yield Trap(
                "embedded-server",
                "内嵌服务器只供演示和开发。",
                "Embedded servers are for demonstration and development.",
                "运行自己的服务器，用 VAXLEDGER_DATABASE_URL、KEYS_URL、NATS_URL 指明。",
                "Run servers of your own; VAXLEDGER_DATABASE_URL, KEYS_URL and NATS_URL say where.",
                is_refused=True,
                facts={"server": name},
            )
    for url in (settings.nats_url or "").split(","):
        parts = urlsplit(url)
        if url and parts.scheme != "tls" and parts.hostname not in _LOOPBACK:
            yield Trap(
                "nats-without-tls",
                "与 NATS 的连接没有加密。",
                "The connection to NATS is not encrypted.",
                "为 NATS 配置 tls，并把网址写成 tls://主机:端口；私有 CA 用 SSL_CERT_FILE 指明。",
                "Configure tls in NATS and write the URL as tls://host:port; SSL_CERT_FILE names a "
                "private CA.",
                is_refused=True,
                facts={"host": parts.hostname},
            )


def _front(settings: Settings) -> Iterator[Trap]:
    if settings.issuer is None:
        yield Trap(
            "development-issuer",
            "访问令牌由开发用签发方签发：谁都可以是任何人。",
            "Access tokens come from the development issuer: anybody may be anyone.",
            "用 VAXLEDGER_ISSUER 指明 OAuth 2.0 身份服务。",
            "Name your OAuth 2.0 issuer with VAXLEDGER_ISSUER.",
            is_refused=True,
        )
    elif urlsplit(settings.issuer).scheme != "https":
        yield Trap(
            "issuer-without-tls",
            "身份服务的网址不是 https。",
            "The issuer's address is not https.",
            "把 VAXLEDGER_ISSUER 改为身份服务的 https 网址。",
            "Give VAXLEDGER_ISSUER the issuer's https address.",
            is_refused=True,
        )
    if urlsplit(settings.public_url or "").scheme != "https":
        yield Trap(
            "plain-http",
            "HTTP 接口没有 TLS，也没有声明反向代理。",
            "The HTTP interface has no TLS, and no proxy is stated.",
            "在前面放一个终止 TLS 的反向代理，用 VAXLEDGER_PUBLIC_URL 写明其 https 网址。",
            "Put a proxy that ends TLS before it; VAXLEDGER_PUBLIC_URL is its https address.",
            is_refused=True,
        )
    if settings.origin == type(settings).model_fields["origin"].default:
        yield Trap(
            "default-origin",
            "账本名称是演示用的缺省值，开账后不能再改。",
            "The log's name is the demonstration's, and never changes once the log is opened.",
            "开账前用 VAXLEDGER_ORIGIN 定名。",
            "Name the log with VAXLEDGER_ORIGIN before it is opened.",
            is_refused=True,
        )


def _secrets(settings: Settings) -> Iterator[Trap]:
    for name in SECRETS:
        value = getattr(settings, name)
        if value is None:
            continue
        variable = f"VAXLEDGER_{name.upper()}"
        if getattr(settings, f"{name}_file") is None and _password(name, value) is not None:
            yield Trap(
                "secret-in-environment",
                "口令写在环境变量里。",
                "A password stands in the environment.",
                f"写入仅属主可读的文件，用 {variable}_FILE 指明。",
                f"Put it into a file that only its owner reads; {variable}_FILE names it.",
                is_refused=True,
                facts={"variable": variable},
            )
        if _is_weak(settings, name, value):
            yield Trap(
                "weak-secret",
                "口令是缺省值或太短。",
                "A password is a default one, or short.",
                "换成至少 16 个随机字符。",
                "Make it 16 random characters or more.",
                is_refused=True,
                facts={"variable": variable},
            )


def _is_weak(settings: Settings, name: str, value: str) -> bool:
    password = _password(name, value)
    if password is None:
        return False
    user = settings.nats_user if name == "nats_password" else urlsplit(value).username
    return len(password) < _MIN_PASSWORD or password == user


def _password(name: str, value: str) -> str | None:
    """The password within a secret: all of it, or what a libpq URL or string holds."""
    if name in _BARE:
        return value
    try:
        held = urlsplit(value).password
    except ValueError:
        held = None
    if held is not None:
        return unquote(held)
    found = _KEYWORD_PASSWORD(value)
    return found[1] if found else None
