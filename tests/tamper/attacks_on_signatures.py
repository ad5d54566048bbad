"""Attacks on what is signed: envelopes, batches and statements.

Made by one who holds the log's signing keys; where a statement is bent, by its very author.
"""

import json
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

from ledger.envelope import Envelope, Sig, sign_payload
from ledger.jcs import canonical
from tests.tamper.drawn_log import private_key
from tests.tamper.forging import (
    Attack,
    alone,
    entry_at,
    key_behind,
    place,
    resigned,
    statement_at,
    with_evidence,
    with_members,
)
from tests.unit.client.signed_log import CDC, author

DOSE, CHILD = "dose-administered", "registered"


def a_signature_stripped(log, chance):
    at = alone(log, chance)
    envelope = Envelope.decode(log.lines[at - 1].envelope)
    bare = replace(envelope.signatures[0], sig=bytes(64))
    with_evidence(log, at, replace(envelope, signatures=(bare,)).encode())
    return Attack(log.files(), at)


def a_signature_bit_flipped(log, chance):
    at = alone(log, chance)
    envelope = Envelope.decode(log.lines[at - 1].envelope)
    sig = bytearray(envelope.signatures[0].sig)
    sig[chance.randrange(64)] ^= 1 << chance.randrange(8)
    forged = replace(envelope.signatures[0], sig=bytes(sig))
    with_evidence(log, at, replace(envelope, signatures=(forged,)).encode())
    return Attack(log.files(), at)


def a_signature_by_another_key_under_the_author_s_id(log, chance):
    at = alone(log, chance)
    envelope = Envelope.decode(log.lines[at - 1].envelope)
    thief = sign_payload(envelope.payload, private_key(UUID(int=0), "thief"))
    forged = Sig(envelope.signatures[0].keyid, thief.signatures[0].sig)
    with_evidence(log, at, replace(envelope, signatures=(forged,)).encode())
    return Attack(log.files(), at)


def a_payload_edited(log, chance):
    at = alone(log, chance, DOSE)
    envelope = Envelope.decode(log.lines[at - 1].envelope)
    log.forge(at, data=dict(entry_at(log, at).data) | {"vaccine": "HepA"})
    payload = envelope.payload.replace(b'"HepB"', b'"HepA"')
    with_evidence(log, at, replace(envelope, payload=payload).encode())
    return Attack(log.files(), at)


def an_envelope_of_another_type(log, chance):
    at = alone(log, chance, DOSE)
    envelope = Envelope.decode(log.lines[at - 1].envelope)
    signed = sign_payload(envelope.payload, key_behind(log, at), "application/json")
    with_evidence(log, at, signed.encode())
    return Attack(log.files(), at)


def an_envelope_in_another_spelling(log, chance):
    at = place(log, chance)
    raw = log.lines[at - 1].envelope
    other = chance.choice(
        [raw + b"\n", json.dumps(json.loads(raw)).encode(), raw[:-1] + b',"x":1}']
    )
    with_evidence(log, at, other)
    return Attack(log.files(), at)


def a_batch_line_bent(log, chance):
    lines = log.draw_batch(6)
    while len(lines) < 2:
        log.draw_child()
        lines = log.draw_batch(6)
    at = chance.choice(lines)
    member = json.loads(log.lines[at - 1].envelope)
    path = member["path"]
    other = json.loads(log.lines[(lines[0] if at != lines[0] else lines[1]) - 1].envelope)
    bent = chance.choice(
        [
            {"index": member["index"] ^ 1},
            {"index": member["size"]},
            {"size": member["size"] + 1},
            {"path": path[:-1]},
            {"path": [*path, path[0]]},
            {"path": ["AAAA", *path[1:]]},
            {"payload": other["payload"]},
            {"payload": other["payload"], "index": other["index"], "path": other["path"]},
            {"envelope": json.loads(log.lines[0].envelope)},
            {"index": True},
            {"x": 1},
        ]
    )
    with_evidence(log, at, canonical(member | bent))
    return Attack(log.files(), at)


def an_effect_signed_by_a_clinic(log, chance):
    at = log.draw_correction()
    line, payload = log.lines[at - 1], canonical(statement_at(log, at))
    clinic = author(CDC)
    signed = sign_payload(payload, private_key(CDC)).encode()
    who = {"org": str(CDC), "keyid": clinic.keyid, "envelope": sha256(signed).hexdigest()}
    log.lines[at - 1] = replace(line, envelope=signed)
    with_members(log, at, author=who)
    return Attack(log.files(), at)


def a_statement_for_another_log(log, chance):
    at = alone(log, chance, DOSE)
    resigned(log, at, canonical(statement_at(log, at) | {"origin": "other.example.cn/vax"}))
    return Attack(log.files(), at)


def a_statement_that_says_true_for_one(log, chance):
    """Python takes True for 1; JSON does not."""
    at = alone(log, chance, DOSE)
    statement = statement_at(log, at)
    clear = {name: v for name, v in entry_at(log, at).data.items() if name != "derived"}
    log.forge(at, data=dict(entry_at(log, at).data) | {"dose_number": 1})
    resigned(log, at, canonical(statement | {"data": clear | {"dose_number": True}}))
    return Attack(log.files(), at)


def a_statement_that_expects_false_for_zero(log, chance):
    at = alone(log, chance, CHILD)
    resigned(log, at, canonical(statement_at(log, at) | {"expected_version": False}))
    return Attack(log.files(), at)


def a_statement_with_a_member_twice(log, chance):
    at = alone(log, chance, DOSE)
    payload = canonical(statement_at(log, at))
    resigned(log, at, payload[:-1] + b',"topic":"' + entry_at(log, at).topic.encode() + b'"}')
    return Attack(log.files(), at)


def a_statement_with_an_unknown_member(log, chance):
    at = alone(log, chance, DOSE)
    resigned(log, at, canonical(statement_at(log, at) | {"comment": ""}))
    return Attack(log.files(), at)


def a_statement_without_commitments(log, chance):
    at = alone(log, chance, DOSE)
    resigned(log, at, canonical(statement_at(log, at) | {"commitments": {}}))
    return Attack(log.files(), at)


def a_statement_that_signs_derived_fields(log, chance):
    at = alone(log, chance, DOSE)
    data = dict(entry_at(log, at).data)
    resigned(log, at, canonical(statement_at(log, at) | {"data": data}))
    return Attack(log.files(), at)


def an_idempotency_key_used_again(log, chance):
    log.draw_claim()
    first, second = sorted(chance.sample(log.positions("granted", "claimed"), 2))
    key = statement_at(log, first)["idempotency_key"]
    resigned(log, second, canonical(statement_at(log, second) | {"idempotency_key": key}))
    return Attack(log.files(), second)


def an_unknown_member_in_data(log, chance):
    at = alone(log, chance, DOSE)
    statement = statement_at(log, at)
    with_members(log, at, data=dict(entry_at(log, at).data) | {"comment": "x"})
    resigned(log, at, canonical(statement | {"data": statement["data"] | {"comment": "x"}}))
    return Attack(log.files(), at)


SIGNATURE_ATTACKS = (
    a_signature_stripped,
    a_signature_bit_flipped,
    a_signature_by_another_key_under_the_author_s_id,
    a_payload_edited,
    an_envelope_of_another_type,
    an_envelope_in_another_spelling,
    a_batch_line_bent,
    an_effect_signed_by_a_clinic,
    a_statement_for_another_log,
    a_statement_that_says_true_for_one,
    a_statement_that_expects_false_for_zero,
    a_statement_with_a_member_twice,
    a_statement_with_an_unknown_member,
    a_statement_without_commitments,
    a_statement_that_signs_derived_fields,
    an_idempotency_key_used_again,
    an_unknown_member_in_data,
)
