"""Attacks by one who can alter every stored file but has no key: each a function of a log.

Checkpoints, the log behind a stolen key, signatures and keys have modules of their own.
"""

import random
from collections.abc import Callable

from client.sources import CHECKPOINT, blob_path, decode_envelopes, encode_envelopes
from ledger.bundle import decode_bundle, encode_bundle
from tests.tamper.drawn_log import DrawnLog
from tests.tamper.forging import WHOLE_LOG, Attack, anywhere, edit_time, flipped

WIDTH = 256


Change = Callable[[list[bytes], int], object]


def bundle_path(log: DrawnLog, position: int, stem: str = "tile/entries") -> str:
    index = (position - 1) // WIDTH
    width = min(WIDTH, len(log.lines) - index * WIDTH)
    return f"{stem}/{index:03}" + ("" if width == WIDTH else f".p/{width}")


def in_bundle(log: DrawnLog, position: int, change: Change) -> dict[str, bytes]:
    """Return the files with the bundle of a position changed; `change` gets parts and place."""
    files, path = log.files(), bundle_path(log, position)
    parts = decode_bundle(files[path])
    change(parts, (position - 1) % WIDTH)
    files[path] = encode_bundle(parts) if parts else b""
    return files


def with_one_more(log: DrawnLog, position: int, raw: bytes) -> dict[str, bytes]:
    """Return the files with an entry put before a position, all later ones moved on by one."""
    raws = [line.raw for line in log.lines]
    raws.insert(position - 1, raw)
    files, size = log.files(), len(log.lines)
    for start in range(0, size, WIDTH):
        end = start + WIDTH if start + WIDTH < size else len(raws)
        part = b"".join(len(one).to_bytes(2, "big") + one for one in raws[start:end])
        files[bundle_path(log, start + 1)] = part
    return files


def in_envelopes(log: DrawnLog, position: int, change: Change) -> dict[str, bytes]:
    files, path = log.files(), bundle_path(log, position, "envelopes")
    parts = decode_envelopes(files[path])
    change(parts, (position - 1) % WIDTH)
    files[path] = encode_envelopes(parts)
    return files


def two_in_a_bundle(log: DrawnLog, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(0, len(log.lines), WIDTH)
    places = range(start + 1, min(start + WIDTH, len(log.lines)) + 1)
    first, second = sorted(chance.sample(places, 2)) if len(places) > 1 else (1, 2)
    return first, second


def edited(raw: bytes, chance: random.Random) -> bytes:
    """Return an entry with another digit, as an editor of rows would leave it."""
    places = [at for at, byte in enumerate(raw) if chr(byte).isdigit()]
    at = chance.choice(places)
    digit = b"%d" % ((raw[at] - 48 + chance.randint(1, 9)) % 10)
    return raw[:at] + digit + raw[at + 1 :]


def an_event_s_field_edited(log, chance):
    at = anywhere(log, chance)

    def edit(parts, place):
        parts[place] = edited(parts[place], chance)

    return Attack(in_bundle(log, at, edit), at)


def a_bit_of_an_event_flipped(log, chance):
    at = anywhere(log, chance)

    def edit(parts, place):
        parts[place] = flipped(parts[place], chance)

    return Attack(in_bundle(log, at, edit), at)


def an_event_and_its_row_s_hash_edited(log, chance):
    at, note = anywhere(log, chance), log.note()
    upper = {path: raw for path, raw in log.files().items() if path.startswith("tile/1")}
    edit_time(log, at)
    full = (at - 1) // WIDTH < len(log.lines) // WIDTH
    where = (at - 1) // WIDTH * WIDTH + 1 if full else WHOLE_LOG
    return Attack(log.files() | upper | {CHECKPOINT: note}, where)


def an_event_edited_and_the_tree_recomputed(log, chance):
    note = log.note()
    edit_time(log, anywhere(log, chance))
    return Attack(log.files() | {CHECKPOINT: note}, WHOLE_LOG)


def an_event_deleted(log, chance):
    at = anywhere(log, chance)
    return Attack(in_bundle(log, at, lambda parts, place: parts.pop(place)), at)


def the_tail_deleted(log, chance):
    at = anywhere(log, chance)

    def cut(parts, place):
        del parts[place:]

    return Attack(in_bundle(log, at, cut), at)


def a_back_dated_event_inserted(log, chance):
    at = anywhere(log, chance)
    return Attack(with_one_more(log, at, edited(log.lines[at - 1].raw, chance)), at)


def two_events_swapped(log, chance):
    first, second = two_in_a_bundle(log, chance)

    def swap(parts, place):
        other = (second - 1) % WIDTH
        parts[place], parts[other] = parts[other], parts[place]

    return Attack(in_bundle(log, first, swap), first)


def an_event_duplicated(log, chance):
    at = chance.randint(1, len(log.lines) - 1)
    return Attack(with_one_more(log, at + 1, log.lines[at - 1].raw), at + 1)


def an_event_added_after_the_end(log, chance):
    """No checkpoint covers it, but whoever reads the file reads it."""
    forged = edited(log.lines[-1].raw, chance)
    return Attack(with_one_more(log, len(log.lines) + 1, forged), None)


def an_event_overwritten_by_another(log, chance):
    first, second = two_in_a_bundle(log, chance)

    def overwrite(parts, place):
        parts[place] = parts[(second - 1) % WIDTH]

    return Attack(in_bundle(log, first, overwrite), first)


def a_bit_of_a_bundle_flipped(log, chance):
    files, path = log.files(), bundle_path(log, anywhere(log, chance))
    return Attack(files | {path: flipped(files[path], chance)}, None)


def a_bundle_cut_off(log, chance):
    at = anywhere(log, chance)
    files, path = log.files(), bundle_path(log, at)
    start = (at - 1) // WIDTH * WIDTH + 1
    return Attack(files | {path: files[path][:-1]}, start)


def a_bundle_removed(log, chance):
    at = anywhere(log, chance)
    files = log.files()
    del files[bundle_path(log, at)]
    return Attack(files, (at - 1) // WIDTH * WIDTH + 1)


def a_bit_of_a_leaf_hash_flipped(log, chance):
    at = anywhere(log, chance)
    files, path = log.files(), bundle_path(log, at, "tile/0")
    place = (at - 1) % WIDTH * 32
    tile = files[path]
    content = tile[:place] + flipped(tile[place : place + 32], chance) + tile[place + 32 :]
    return Attack(files | {path: content}, at)


def a_bit_of_any_tile_flipped(log, chance):
    files = log.files()
    tiles = [path for path in sorted(files) if path.startswith("tile/") and "entries" not in path]
    path = chance.choice(tiles)
    return Attack(files | {path: flipped(files[path], chance)}, None)


def a_tile_s_last_hash_cut_off(log, chance):
    files = log.files()
    path = bundle_path(log, anywhere(log, chance), "tile/0")
    return Attack(files | {path: files[path][:-32]}, None)


def two_envelopes_swapped(log, chance):
    first, second = two_in_a_bundle(log, chance)

    def swap(parts, place):
        other = (second - 1) % WIDTH
        parts[place], parts[other] = parts[other], parts[place]

    return Attack(in_envelopes(log, first, swap), first)


def an_envelope_removed(log, chance):
    at, _ = two_in_a_bundle(log, chance)
    return Attack(in_envelopes(log, at, lambda parts, place: parts.pop(place)), at)


def the_last_envelopes_removed(log, chance):
    at = anywhere(log, chance)

    def cut(parts, place):
        del parts[place:]

    return Attack(in_envelopes(log, at, cut), at)


def all_envelopes_of_a_bundle_removed(log, chance):
    at = anywhere(log, chance)
    files = log.files()
    del files[bundle_path(log, at, "envelopes")]
    return Attack(files, (at - 1) // WIDTH * WIDTH + 1)


def a_bit_of_an_envelope_flipped(log, chance):
    at = anywhere(log, chance)

    def edit(parts, place):
        parts[place] = flipped(parts[place], chance)

    return Attack(in_envelopes(log, at, edit), at)


def with_blobs(log, chance):
    sealed = [at for at, line in enumerate(log.lines, 1) if line.blobs]
    at = chance.choice(sealed)
    return at, sorted(log.lines[at - 1].blobs)


def a_bit_of_a_sealed_value_flipped(log, chance):
    at, digests = with_blobs(log, chance)
    files, path = log.files(), blob_path(chance.choice(digests))
    return Attack(files | {path: flipped(files[path], chance)}, at)


def two_ciphertexts_swapped(log, chance):
    first, digests = with_blobs(log, chance)
    second, others = with_blobs(log, chance)
    one, other = blob_path(digests[0]), blob_path(others[-1])
    if one == other:
        return a_bit_of_a_sealed_value_flipped(log, chance)
    files = log.files()
    files[one], files[other] = files[other], files[one]
    return Attack(files, min(first, second))


FILE_ATTACKS = (
    an_event_s_field_edited,
    a_bit_of_an_event_flipped,
    an_event_and_its_row_s_hash_edited,
    an_event_edited_and_the_tree_recomputed,
    an_event_deleted,
    the_tail_deleted,
    a_back_dated_event_inserted,
    two_events_swapped,
    an_event_duplicated,
    an_event_added_after_the_end,
    an_event_overwritten_by_another,
    a_bit_of_a_bundle_flipped,
    a_bundle_cut_off,
    a_bundle_removed,
    a_bit_of_a_leaf_hash_flipped,
    a_bit_of_any_tile_flipped,
    a_tile_s_last_hash_cut_off,
    two_envelopes_swapped,
    an_envelope_removed,
    the_last_envelopes_removed,
    all_envelopes_of_a_bundle_removed,
    a_bit_of_an_envelope_flipped,
    a_bit_of_a_sealed_value_flipped,
    two_ciphertexts_swapped,
)
