"""Rotating the log's keys: the operator's root key signs, the integrator follows by itself.

Crash points. The new pair's file is durable before the log names the pair; until then it signs
nothing, and the next run takes it up again. The entry is durable before any checkpoint is signed
by the new pair; the first one that covers the entry is signed by both, in the transaction that
stores it, or not made. `log.vkey` is written last: until then commands here trust the pair before,
which is enough, and the next start writes it.
"""

import time
from typing import Any

from bootstrap.log_keys import log_pairs_folder, log_signer, operator_of
from bootstrap.secrets import make_log_pair
from bootstrap.wiring import Parts, publish_verifier_keys
from client.identifiers import new_id
from client.signing import AuthorKey, Draft
from commands.answering import Written
from commands.errors import LogKeyRefused
from commands.principal import Principal, Role
from commands.signed_body import SignedBody
from ledger.checkpoint import LogSigner
from ledger.jcs import parse
from ledger.log_keys import INTRODUCED, RETIRED, KeyPair, LogKeys, proof_of_possession
from ledger.note import Note, verify_note

_WAIT_SECONDS = 60.0
_LOOK_SECONDS = 0.05


def introduce_pair(parts: Parts) -> dict[str, Any]:
    """Make a pair of log keys and let the log name it, beside the one that signs now.

    Returns:
        Position and stream of the entry, and the new vkeys.

    Raises:
        LogKeyRefused: If a rotation is under way.
        StoreError: If the log does not take it.
    """
    origin, keys = parts.settings.origin, _keys(parts)
    if keys.rotation is not None:
        raise LogKeyRefused(reason="rotation-under-way")
    old = keys.newest[0] if keys.newest else _pair(log_signer(parts.settings, parts.secrets))
    number = max(len(keys.pairs), 1)
    signer = LogSigner(origin, *make_log_pair(log_pairs_folder(parts.settings), number))
    new = _pair(signer)
    data = {
        "division": operator_of(parts.settings)[1],
        "ed25519": new.ed25519.text(),
        "ml_dsa_44": new.mldsa44.text(),
        "replaces_ed25519": old.ed25519.text(),
        "replaces_ml_dsa_44": old.mldsa44.text(),
        "proof": signer.sign(proof_of_possession(origin), int(time.time())).decode(),
    }
    written = _submit(parts, Draft(INTRODUCED, new_id(), 0, data))
    return _done(parts, written, new)


def retire_pair(parts: Parts) -> dict[str, Any]:
    """Retire the older of the two pairs that sign now.

    Returns:
        As ``introduce_pair``, of the pair that stays.

    Raises:
        LogKeyRefused: If no rotation is under way, or no checkpoint was signed by both pairs yet.
        OverlapTooShort: If they have not signed together for long enough.
        StoreError: If the log does not take it.
    """
    keys = _keys(parts)
    if keys.rotation is None:
        raise LogKeyRefused(reason="no-rotation-under-way")
    wanted = [key for pair in keys.newest for key in pair.keys]
    note = Note.parse(parts.reader.checkpoint()[1])
    # Witnesses' lines stay outside: the entry has a limit, and the log's own lines are the point.
    own = tuple(one.signature for one in verify_note(note, wanted))
    overlap = Note(note.text, own).encode().decode()
    written = _submit(parts, Draft(RETIRED, keys.rotation, 1, {"overlap": overlap}))
    return _done(parts, written, keys.newest[1])


def _keys(parts: Parts) -> LogKeys:
    return parts.reader.log_keys(parts.settings.origin)


def _pair(signer: LogSigner) -> KeyPair:
    return KeyPair(*signer.verifier_keys())


def _submit(parts: Parts, draft: Draft) -> Written:
    operator = parts.secrets.operator
    key = AuthorKey(operator, parts.secrets.root_key)
    signed = key.sign(parts.settings.origin, draft)
    principal = Principal("operator", Role.OPERATOR, operator, "")
    body = SignedBody.parse(parse(signed.body()))
    return parts.desk.submit(body, principal, draft.idempotency_key)


def _done(parts: Parts, written: Written, pair: KeyPair) -> dict[str, Any]:
    """Wait until a checkpoint covers the entry, then let commands on this machine trust its keys.

    Without an integrator nothing is lost: the entry stands, and the next start does the rest.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while (published := parts.reader.published()) < written.position:
        if time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    publish_verifier_keys(parts)
    return {
        "position": written.position,
        "published": published >= written.position,
        "rotation": str(written.stream),
        "ed25519": pair.ed25519.text(),
        "ml_dsa_44": pair.mldsa44.text(),
    }
