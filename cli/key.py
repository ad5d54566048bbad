"""`vaxledger key`: the keys that organisations sign with, from making to revoking."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bootstrap.settings import Settings
from cli.calling import Called, calling
from cli.trusting import JsonOption, read_secret
from cli.verify import REFUTED, UNREADABLE
from client.author_keys import NewKey, entries_of_key, register_key, revoke_key, rotate_key
from client.errors import AuthorKeyError, ProblemError
from client.identifiers import new_id
from client.receipt import Receipt
from client.signing import AuthorKey
from domain.errors import DomainError
from domain.organisation import RevocationReason
from ledger.errors import LedgerError

app = typer.Typer(no_args_is_help=True, help="机构签名密钥。The keys that organisations sign with.")

KeyArgument = Annotated[Path, typer.Argument(help="密钥文件。The key file.", metavar="KEYFILE")]
OrganisationOption = Annotated[
    UUID, typer.Option(help="签名机构。The organisation that signs.", metavar="UUID")
]
ForOption = Annotated[
    UUID | None,
    typer.Option("--for", help="为哪个机构；默认为签名机构。Whose key it is, if not the signer's."),
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="口令文件。A file with the passphrase.", metavar="FILE"),
]


@app.command()
def new(
    path: KeyArgument,
    *,
    organisation: Annotated[
        UUID | None,
        typer.Option(help="机构；新机构不填。Whose; a new one gets an id.", metavar="UUID"),
    ] = None,
    origin: Annotated[str, typer.Option(help="日志名称。The log's name.")] = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """新建密钥文件（0600）。Make a key file; an existing one is never overwritten.

    Prints what its registration needs: id, public key and proof of possession. None is secret.
    """
    with one_line():
        key = AuthorKey(organisation or new_id(), Ed25519PrivateKey.generate())
        found = NewKey.of(key, origin or Settings.load().origin)
        key.save(path, passphrase_of(passphrase_file))
    facts = {
        "organisation": str(found.organisation),
        "keyid": key.keyid,
        "public_key": found.public,
        "key_proof": found.proof,
    }
    _tell(facts, as_json=as_json)


@app.command()
@calling
def register(  # noqa: PLR0913  each is an option of the command line
    path: KeyArgument,
    *,
    organisation: OrganisationOption,
    owner: ForOption = None,
    public_key: Annotated[str, typer.Option(help="新公钥。The new public key, 64 hex digits.")],
    key_proof: Annotated[str, typer.Option(help="持有证明。Its proof of possession.")],
    log: Called,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """登记公钥：由县级疾控、运营方或本机构签名。Register a further key, signed with KEYFILE.

    A county CDC's or the operator's key signs, or another one of the same organisation.
    """
    with one_line():
        key = AuthorKey.load(organisation, path, passphrase_of(passphrase_file))
        with log.client(key) as client:
            receipt = register_key(client, NewKey(owner or organisation, public_key, key_proof))
    _tell(_facts(receipt), as_json=as_json)


@app.command()
@calling
def rotate(
    path: KeyArgument,
    new_path: Annotated[
        Path,
        typer.Argument(help="新密钥文件，先用 key new 生成。What key new made.", metavar="NEWFILE"),
    ],
    *,
    organisation: OrganisationOption,
    log: Called,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """换用新密钥：旧密钥签名登记新密钥，再吊销旧密钥。Replace a key by NEWFILE's, then revoke it.

    Run it again after an interruption: it goes on where it stood.
    """
    with one_line():
        passphrase = passphrase_of(passphrase_file)
        keys = [AuthorKey.load(organisation, one, passphrase) for one in (path, new_path)]
        with log.client(keys[0]) as old, log.client(keys[1]) as fresh:
            receipt = rotate_key(old, fresh)
    _tell({"keyid": keys[1].keyid, **_facts(receipt)}, as_json=as_json)


@app.command()
@calling
def revoke(  # noqa: PLR0913  each is an option of the command line
    path: KeyArgument,
    *,
    organisation: OrganisationOption,
    owner: ForOption = None,
    keyid: Annotated[str, typer.Option(help="被吊销的密钥。The key, 64 hex digits.")],
    reason: Annotated[RevocationReason, typer.Option(help="原因。Why.")],
    log: Called,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """吊销密钥，即刻对全部服务生效。Revoke a key; at once, in every process."""
    with one_line():
        key = AuthorKey.load(organisation, path, passphrase_of(passphrase_file))
        with log.client(key) as client:
            receipt = revoke_key(client, owner or organisation, keyid, reason.value)
    _tell(_facts(receipt), as_json=as_json)


@app.command("signed-by")
@calling
def signed_by(
    keyid: Annotated[str, typer.Argument(help="密钥标识。The key, 64 hex digits.")],
    *,
    since: Annotated[int, typer.Option(min=1, help="自该位置起。From this position on.")] = 1,
    log: Called,
    as_json: JsonOption = False,
) -> None:
    """列出某密钥签名的全部条目。Everything that a key has signed since a position, line by line.

    For regulators and the operator: which writes to look at when a key was lost.
    """
    count = 0
    with one_line(), log.client() as client:
        for line in entries_of_key(client, keyid, since - 1):
            count += 1
            typer.echo(line if as_json else _row(json.loads(line)))
    if not as_json:
        typer.echo(f"{count:,} 条 entries", err=True)


def _row(line: dict[str, Any]) -> str:
    names = ("position", "recorded_at", "topic", "stream", "leaf")
    return "  ".join(str(line[name]) for name in names)


def passphrase_of(path: Path | None) -> bytes | None:
    """Return the passphrase of a file; an empty one would silently leave a key plain."""
    if path is None:
        return None
    text = read_secret(path)
    if not text:
        raise AuthorKeyError("The passphrase file is empty.", path=str(path))
    return text.encode()


@contextmanager
def one_line() -> Iterator[None]:
    """Say in one line what was refused or could not be done."""
    try:
        yield
    except ProblemError as problem:
        facts = problem.problem.get("facts") or ""
        typer.echo(f"vaxledger: {problem} {facts or ''}".rstrip(), err=True)
        raise typer.Exit(REFUTED) from None
    except FileExistsError as error:
        typer.echo(f"vaxledger: 文件已存在，不予覆盖。It exists: {error.filename}", err=True)
        raise typer.Exit(REFUTED) from None
    except FileNotFoundError as error:
        typer.echo(f"vaxledger: 没有这个文件。No such file: {error.filename}", err=True)
        raise typer.Exit(UNREADABLE) from None
    except (LedgerError, OSError) as error:
        typer.echo(f"vaxledger: {error}", err=True)
        raise typer.Exit(UNREADABLE) from None


@contextmanager
def both_languages() -> Iterator[None]:
    """Say in one line, and in both languages, why a file cannot be read at all."""
    try:
        yield
    except DomainError as refused:
        facts = refused.facts or ""
        typer.echo(f"vaxledger: {refused.zh}{refused.sentence()} {facts}".rstrip(), err=True)
        raise typer.Exit(UNREADABLE) from None


def _facts(receipt: Receipt) -> dict[str, Any]:
    return {
        "position": receipt.position,
        "stream": str(receipt.entry.stream),
        "version": receipt.entry.version,
        "leaf": receipt.leaf.hex(),
    }


def _tell(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        typer.echo(f"{name:>14}  {value}")
