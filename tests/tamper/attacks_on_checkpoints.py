"""Attacks on the signed checkpoint, by one who can alter every stored file but has no key."""

from dataclasses import replace

from client.sources import CHECKPOINT
from ledger.note import Note
from ledger.treehead import Checkpoint
from tests.tamper.forging import WHOLE_LOG, Attack, flipped
from tests.unit.client.signed_log import signer


def a_checkpoint_s_size_set_back(log, chance):
    size = chance.randrange(len(log.lines))
    head = Checkpoint(log.checkpoint().origin, size, log.checkpoint().root)
    text = b"%s\n%d\n" % (head.origin.encode(), size)
    note = log.note()
    return Attack(log.files() | {CHECKPOINT: text + note.split(b"\n", 2)[2]}, WHOLE_LOG)


def a_bit_of_a_checkpoint_s_text_flipped(log, chance):
    note = log.note()
    end = note.index(b"\n\n")
    return Attack(log.files() | {CHECKPOINT: flipped(note[:end], chance) + note[end:]}, WHOLE_LOG)


def a_bit_of_a_checkpoint_s_signature_flipped(log, chance):
    note = Note.parse(log.note())
    lines = list(note.signatures)
    at = chance.randrange(len(lines))
    lines[at] = replace(lines[at], blob=flipped(lines[at].blob, chance))
    forged = replace(note, signatures=tuple(lines)).encode()
    return Attack(log.files() | {CHECKPOINT: forged}, WHOLE_LOG)


def a_checkpoint_stripped_of_signatures(log, chance):
    stranger = Note.parse(signer("stranger").sign(log.checkpoint(), 1))
    bare = replace(Note.parse(log.note()), signatures=stranger.signatures).encode()
    return Attack(log.files() | {CHECKPOINT: bare}, WHOLE_LOG)


def a_checkpoint_without_any_line(log, chance):
    note = log.note()
    return Attack(log.files() | {CHECKPOINT: note[: note.index(b"\n\n") + 1]}, WHOLE_LOG)


def a_checkpoint_of_a_thief_s_key(log, chance):
    return Attack(log.files() | {CHECKPOINT: log.note(name="thief")}, WHOLE_LOG)


def a_checkpoint_removed(log, chance):
    files = log.files()
    del files[CHECKPOINT]
    return Attack(files, WHOLE_LOG)


def an_old_backup_restored(log, chance):
    size = chance.randrange(1, len(log.lines))
    return Attack(log.files(size), WHOLE_LOG, (log.checkpoint(),))


CHECKPOINT_ATTACKS = (
    a_checkpoint_s_size_set_back,
    a_bit_of_a_checkpoint_s_text_flipped,
    a_bit_of_a_checkpoint_s_signature_flipped,
    a_checkpoint_stripped_of_signatures,
    a_checkpoint_without_any_line,
    a_checkpoint_of_a_thief_s_key,
    a_checkpoint_removed,
    an_old_backup_restored,
)
