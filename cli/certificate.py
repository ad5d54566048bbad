"""`vaxledger certificate`: verify a credential, offline too, and the keys that sign them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import typer
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from bootstrap.credential_keys import CredentialKeys
from bootstrap.folders import secrets_folder
from bootstrap.settings import Settings
from bootstrap.wiring import credential_keys
from certificates.check_statement import CheckStatement
from certificates.errors import CertificateError
from certificates.history import History
from certificates.signing import ES256, PublicKey
from certificates.verify import Verdict, Verification
from cli.calling import LOCAL, UrlOption
from cli.key import one_line
from cli.trusting import (
    JsonOption,
    OriginOption,
    TokenOption,
    TrustOption,
    load_trust,
    reader_of,
)
from cli.verify import REFUTED, UNREADABLE
from client.credential_lists import CredentialLists
from client.errors import TrustError
from client.http import Client
from ledger.errors import LedgerError

app = typer.Typer(
    no_args_is_help=True, help="离线凭证：核验与签发密钥。Offline credentials and their keys."
)

PREFIX = "HC1:"


@app.command()
def verify(
    credential: Annotated[
        str, typer.Argument(help="凭证文件或内容。A file, or the text itself.", metavar="FILE|CODE")
    ],
    *,
    root: Annotated[
        Path | None,
        typer.Option(help="根公钥（PEM）；默认本机的。The root's public key.", metavar="FILE"),
    ] = None,
    lists: Annotated[
        Path | None, typer.Option(help="名单目录。Where the lists are kept.", metavar="FOLDER")
    ] = None,
    url: Annotated[
        str, typer.Option(help="取最新名单的网址。Fetch newer lists from here.", metavar="URL")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """核验离线凭证：有效退出码为 0，否则为 1。Verify a credential; exit code 0 only if valid.

    Without --url no network is used: the lists are those kept in the folder.
    """
    settings = Settings.load()
    folder = lists or settings.data_dir / "credential-lists"
    with _one_line():
        text = credential if credential.startswith(PREFIX) else Path(credential).read_text().strip()
        roots = [_root(root, settings)]
        known = (
            CredentialLists.fetch(folder, roots, url.rstrip("/"))
            if url
            else CredentialLists.load(folder, roots)
        )
    found = known.verify(text, datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(_facts(found), ensure_ascii=False, default=str))
    else:
        typer.echo(_told(found))
    raise typer.Exit(0 if found.verdict is Verdict.VALID else REFUTED)


@app.command("print")
def print_pdf(
    certificate: Annotated[UUID, typer.Argument(help="电子证编号。The certificate.")],
    file: Annotated[Path, typer.Argument(help="PDF 存为文件。Where to keep it.", metavar="FILE")],
    *,
    url: UrlOption = LOCAL,
    token_file: TokenOption = None,
    trust: TrustOption = None,
    origin: OriginOption = "",
) -> None:
    """打印接种证：按纸质证的栏目存为 PDF。The certificate as PDF, laid out as on paper."""
    with one_line():
        caller = reader_of(url, token_file, load_trust(trust, origin))
        with Client(caller) as client:
            answer = client.request("GET", f"/v1/certificates/{certificate}/certificate.pdf")
        file.write_bytes(answer.content)


@app.command()
def keys(*, as_json: JsonOption = False) -> None:
    """签发密钥及其有效期。The keys that sign credentials, the newest last, and the root's."""
    own = _own(Settings.load())
    signers = [
        {"key": key.key_id, "valid_until": key.valid_until.isoformat()} for key in own.signers()
    ]
    if as_json:
        typer.echo(json.dumps({"root": own.root.kid.hex(), "signers": signers}))
        return
    typer.echo(f"根 root    {own.root.kid.hex()}")
    for signer in signers:
        typer.echo(f"签发 signer  {signer['key']}  {signer['valid_until']}")


@app.command()
def rotate(*, as_json: JsonOption = False) -> None:
    """换用新签发密钥；旧密钥所签仍有效。Sign with a new key; the old one stays trusted."""
    key = _own(Settings.load()).rotate()
    typer.echo(json.dumps({"key": key.key_id}) if as_json else f"签发 signer  {key.key_id}")


def _own(settings: Settings) -> CredentialKeys:
    return credential_keys(settings, lambda: datetime.now(UTC))


def _root(path: Path | None, settings: Settings) -> PublicKey:
    if path is None:
        if not (secrets_folder(settings) / "credentials" / "root").exists():
            raise TrustError("Say with --root whose signatures count.")
        return _own(settings).root.public_key
    key = load_pem_public_key(path.read_bytes())
    return PublicKey(ES256, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _facts(found: Verification) -> dict[str, Any]:
    facts: dict[str, Any] = {"verdict": found.verdict, "zh": found.zh, "en": found.en}
    facts["as_of"] = found.as_of
    if found.credential is not None:
        content = found.credential.content
        facts |= {
            "issuer": found.credential.issuer,
            "issued_at": found.credential.issued_at,
            "expires_at": found.credential.expires_at,
            "name": content.holder.name,
            "birth_date": content.holder.birth_date,
            "position": content.log.position,
        }
        if isinstance(content, History):
            facts["doses"] = [
                {"vaccine": one.vaccine, "day": one.day, "lot": one.lot, "clinic": one.clinic}
                for one in content.doses
            ]
        else:
            facts["outcome"] = content.outcome
            if isinstance(content, CheckStatement):
                facts["statement"] = UUID(bytes=content.holder.identifier)
                facts |= {"clinic": content.clinic, "checked_on": content.checked_on}
            facts["missing"] = {gap.vaccine_group: gap.dose_numbers for gap in content.missing}
    return facts


def _told(found: Verification) -> str:
    lines = [f"{found.zh} {found.en}"]
    if found.credential is not None:
        content = found.credential.content
        lines.append(f"{content.holder.name}  {content.holder.birth_date}")
        if isinstance(content, History):
            lines += [f"{one.day}  {one.vaccine:<12} {one.lot or '-'}" for one in content.doses]
        else:
            if isinstance(content, CheckStatement):
                statement = UUID(bytes=content.holder.identifier)
                lines.append(f"附件2 {statement}  {content.clinic}  {content.checked_on}")
            lines.append(str(content.outcome))
            lines += [
                f"{gap.vaccine_group}: {', '.join(map(str, gap.dose_numbers))}"
                for gap in content.missing
            ]
    return "\n".join(lines)


@contextmanager
def _one_line() -> Iterator[None]:
    """Tell in one line what cannot be read."""
    try:
        yield
    except (LedgerError, CertificateError, httpx.HTTPError, OSError, ValueError) as error:
        typer.echo(f"vaxledger: {error}", err=True)
        raise typer.Exit(UNREADABLE) from None
