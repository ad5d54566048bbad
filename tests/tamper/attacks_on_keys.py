"""Attacks on who may sign: organisations, their keys and the chain up to the root key.

Made by one who holds the log's signing keys, and some author's.
"""

from client.signing import AuthorKey
from tests.tamper.forging import Attack, entry_at
from tests.unit.client.signed_log import (
    CDC,
    CLINIC,
    COUNTY,
    OPERATOR,
    ORIGIN,
    PLATFORM,
    SignedLog,
    author,
)

EFFECT = "dose-corrected"


def an_author_never_registered(log, chance):
    log.add_child(AuthorKey.from_seed(CLINIC, log.random_bytes(32)))
    return Attack(log.files(), len(log.lines))


def a_revoked_key_signs_again(log, chance):
    log.register(author(CDC), author(log.handle(), "x"), "clinic")
    at = log.positions("registered")[-1]
    organisation = entry_at(log, at).stream
    log.revoke(author(CDC), author(organisation, "x"))
    log.add_child(author(organisation, "x"))
    return Attack(log.files(), len(log.lines))


def a_revoked_key_registered_again(log, chance):
    new = author(CLINIC, "again")
    log.register_key(author(OPERATOR), new)
    log.revoke(author(OPERATOR), new)
    at = log.register_key(author(OPERATOR), new)
    return Attack(log.files(), at)


def a_key_never_had_revoked(log, chance):
    at = log.revoke(author(OPERATOR), author(CLINIC, "none"))
    return Attack(log.files(), at)


def a_registrar_not_entitled(log, chance):
    registrar, kind, division = chance.choice(
        [
            (CLINIC, "clinic", COUNTY),
            (CDC, "county-cdc", COUNTY),
            (CDC, "regulator", COUNTY),
            (CDC, "integrator", COUNTY),
            (CDC, "education", COUNTY),
            (CDC, "city-cdc", COUNTY),
            (CDC, "clinic", "410203"),
            (CDC, "operator", COUNTY),
            (PLATFORM, "clinic", COUNTY),
            (OPERATOR, "operator", "410000"),
        ]
    )
    by = author(registrar)
    if registrar == CLINIC:
        by = log.clinic()
    at = log.register(by, author(log.handle()), kind, division)
    return Attack(log.files(), at)


def a_key_s_owner_unproven(log, chance):
    new = author(CLINIC, "unproven")
    proof = chance.choice(
        [
            author(CDC).proof_of_possession(ORIGIN),
            new.proof_of_possession("other.example.cn/vax"),
            author(PLATFORM, "unproven").proof_of_possession(ORIGIN),
            "00" * 64,
        ]
    )
    at = log.register_key(author(OPERATOR), new, proof)
    return Attack(log.files(), at)


def a_weak_key_registered(log, chance):
    weak = chance.choice(
        [
            bytes(32),
            b"\x01" + bytes(31),
            b"\xec" + b"\xff" * 30 + b"\x7f",
            b"\xed" + b"\xff" * 30 + b"\x7f",
            b"\x01" + bytes(30) + b"\x80",
            bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
            b"\xff" * 32,
            b"\x02" + bytes(31),
        ]
    )
    data = {"public_key": weak.hex(), "key_proof": "01" + "00" * 63}
    draft = log.said("organisation.key-registered.v1", CLINIC, data)
    at = log.write(author(OPERATOR), draft)
    return Attack(log.files(), at)


def a_key_of_another_organisation_revoked(log, chance):
    at = log.revoke(log.clinic(), author(CDC))
    return Attack(log.files(), at)


def a_log_opened_by_another(log, chance):
    other = SignedLog()
    opener, kind = chance.choice([(CDC, "operator"), (OPERATOR, "county-cdc"), (CDC, "county-cdc")])
    other.register(author(opener), author(OPERATOR), kind, "410000")
    other.lines += log.lines[1:]
    return Attack(other.files(), 1)


def an_effect_without_its_cause(log, chance):
    effects = log.positions(EFFECT)
    if not effects:
        effects = [log.draw_correction()]
    at = chance.choice(effects)
    data = dict(entry_at(log, at).data)
    cause = chance.choice(
        [
            {"stream": str(log.handle()), "version": 1},
            {"stream": data["derived"]["cause"]["stream"], "version": 3},
            {"stream": str(entry_at(log, at).stream), "version": entry_at(log, at).version},
        ]
    )
    log.forge(at, data=data | {"derived": data["derived"] | {"cause": cause}})
    return Attack(log.files(), at)


KEY_ATTACKS = (
    an_author_never_registered,
    a_revoked_key_signs_again,
    a_revoked_key_registered_again,
    a_key_never_had_revoked,
    a_registrar_not_entitled,
    a_key_s_owner_unproven,
    a_weak_key_registered,
    a_key_of_another_organisation_revoked,
    a_log_opened_by_another,
    an_effect_without_its_cause,
)
