"""Values that are almost right, put anywhere into an entry or a statement and signed anew.

Whether the result still holds is open: two verifiers must say the same of it.
"""

import copy
import json
import random
from dataclasses import replace
from hashlib import sha256
from typing import Any

from ledger.envelope import sign_payload
from tests.tamper.drawn_log import DrawnLog
from tests.tamper.forging import Attack, alone, key_behind, statement_at

KINDS = (
    "registered",
    "dose-administered",
    "contraindication-recorded",
    "requested",
    "dose-corrected",
    "claimed",
    "granted",
    "key-registered",
    "key-revoked",
)
TEXTS = (
    *("", "x", "x" * 5000, "名" * 50, "名" * 101, "\U0001f600", "É", "a/b", "-", "A-", "a--b"),
    *("2026-02-30", "2026-9-1", "0001-01-01", "9999-12-31", "10000-01-01", "20260901"),
    *("2026-W36-2", "2026-244", "２０２６-09-01", "2026-09-01T00:00:00Z", "2026", "１２３４"),
    *("410205", "410205001", "0.5 mL", ".5 mL", "00 mL", "HepB", "hepb", "child", "mother"),
    "01900000-0000-7001-0000-000000000003",
    "01900000-0000-7001-0000-00000000000A",
    "{01900000-0000-7001-0000-000000000003}",
    "019000000000700100000000000000003",
    *("ab" * 32, "AB" * 32, "ab" * 64, "\ud800"),
)
OTHERS = (None, True, False, 0, 1, -1, 2**53 - 1, 2**53, 10**30, 1.5, [], {}, [1], {"a": 1})
NAMES = ("extra", "province", "lot", "before", "ends_on", "valid_to", "derived", "name_en")


def text_of(value: object) -> bytes:
    """Return sorted JSON of anything, also of what no entry may hold."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value below one."""
    found = [path] if path else []
    if isinstance(value, dict):
        found += [one for name in value for one in places_in(value[name], (*path, name))]
    if isinstance(value, list):
        found += [one for at, item in enumerate(value) for one in places_in(item, (*path, at))]
    return found


def bend(value: Any, chance: random.Random, *, except_for: str = "") -> Any:
    """Return a copy with one value replaced, left out, added or doubled somewhere."""
    bent = copy.deepcopy(value)
    path = chance.choice([one for one in places_in(bent) if one[0] != except_for])
    holder = bent
    for step in path[:-1]:
        holder = holder[step]
    new = chance.choice((*TEXTS, *OTHERS))
    match chance.choice(("replace", "replace", "remove", "add")):
        case "replace":
            holder[path[-1]] = new
        case "remove":
            del holder[path[-1]]
        case _ if isinstance(holder, dict):
            holder[chance.choice(NAMES)] = new
        case _:
            holder.append(copy.deepcopy(holder[path[-1]]))
    return bent


def a_value_bent(log: DrawnLog, chance: random.Random) -> Attack:
    """Bend an entry's data, derived data or another member, or the statement behind it."""
    at = alone(log, chance, chance.choice([kind for kind in KINDS if log.positions(kind)]))
    line, statement = log.lines[at - 1], statement_at(log, at)
    entry = json.loads(line.raw)
    is_key = "public_key" in entry["data"]
    where = chance.choice(("data", "derived", "statement", "entry"))
    if where == "data" and not is_key:
        statement["data"] = bend(statement["data"], chance)
        entry["data"] = statement["data"] | {
            name: value for name, value in entry["data"].items() if name == "derived"
        }
    elif where == "derived" and "derived" in entry["data"]:
        entry["data"] = entry["data"] | bend({"derived": entry["data"]["derived"]}, chance)
    elif where == "statement":
        statement = bend(statement, chance, except_for="data")
    else:
        entry = bend(entry, chance, except_for="data")
    evidence = sign_payload(text_of(statement), key_behind(log, at)).encode()
    if entry.get("author") == json.loads(line.raw)["author"]:
        entry["author"]["envelope"] = sha256(evidence).hexdigest()
    log.lines[at - 1] = replace(line, envelope=evidence, raw=text_of(entry))
    return Attack(log.files(), None)
