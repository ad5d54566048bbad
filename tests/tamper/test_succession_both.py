"""A log that goes on under a new name, honestly and not: the product and the second agree."""

from dataclasses import replace

import pytest

from client.beside import Checkers
from client.errors import RefutedError
from client.notes import Notes
from client.signing import AuthorKey
from client.trust import Trust as ProductTrust
from client.verify import Extent, verify_log
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.policy import Log
from ledger.succession import SUCCEEDED
from ledger.tiles import TILE_WIDTH
from tests.second.notes import TreeHead
from tests.second.trust import Trust
from tests.second.verifier import Given, verify
from tests.tamper.both_verifiers import SCHEMAS
from tests.unit.client.rotated_log import NOW, RotatedLog, vkeys
from tests.unit.client.signed_log import (
    CDC,
    OPERATOR,
    ORIGIN,
    MemorySource,
    author,
    signer,
)

SECOND, THIRD = "ledger.example.cn/vax/second", "ledger.example.cn/vax/third"
LOST = 5


class SucceededLog(RotatedLog):
    """Takes new names, and signs as whoever it is at that moment."""

    def note(self, size: int | None = None, name: str = "") -> bytes:
        head = self.checkpoint(size)
        names = (name,) if name else self.names(head.size)
        return sign_checkpoint(head, [signer(one, self.origin) for one in names], NOW)

    def final(self, lost: int = LOST) -> Checkpoint:
        """The checkpoint of a tree whose last leaves nobody has any more."""
        return Checkpoint(self.origin, len(self.lines) + lost, b"r" * 32)

    def succeed(
        self, origin: str, key: AuthorKey | None = None, *, lost: int = LOST, **changes: object
    ) -> int:
        data = {
            "division": "410000",
            "predecessor": self.origin,
            "checkpoint": signer("log", self.origin).sign(self.final(lost), NOW).decode(),
            "adopted": len(self.lines),
            "lost": lost,
            "reason": "entries-lost",
            **changes,
        }
        self.origin = origin
        draft = self.draft(SUCCEEDED, self.handle(), 0, data)
        position = self.write(key or author(OPERATOR), draft, division="410000")
        self.eras.append((position, (f"pair of {origin}",)))
        return position


def grown() -> SucceededLog:
    """A log that was rotated under its first name."""
    log = SucceededLog()
    log.grow()
    log.rotate("second")
    return log


def keys_of(log: SucceededLog) -> tuple:
    return signer(log.names(len(log.lines))[0], log.origin).verifier_keys()


def verdicts(log: SucceededLog, known=()):
    """Position of the first finding of each verifier, 0 for the whole log, None if it holds."""
    files = log.files()
    trust = ProductTrust.of_keys(keys_of(log))
    try:
        verify_log(MemorySource(files), trust, Extent(known=known))
        product = None
    except RefutedError as refuted:
        product = refuted.position or 0
    pair = signer(log.names(len(log.lines))[0], log.origin)
    heads = [TreeHead(one.origin, one.size, one.root) for one in known]
    found = verify(files.get, Given(Trust.of_keys(*vkeys(pair)), SCHEMAS, heads))
    return product, found[0].position if found else None


def test_both_cross_over_as_often_as_the_log_does():
    log = grown()
    old = log.checkpoint(), log.checkpoint(4)
    log.succeed(SECOND)
    assert verdicts(log, old) == (None, None)
    log.grow()
    middle = log.checkpoint()
    log.succeed(THIRD, lost=0)
    assert verdicts(log, (*old, middle)) == (None, None)


def test_whoever_holds_a_checkpoint_of_what_was_lost_is_told():
    log = grown()
    final, other = log.final(), replace(log.checkpoint(), root=b"x" * 32)
    log.succeed(SECOND)
    log.grow(LOST)
    stranger = Checkpoint("ledger.example.cn/another", 3, b"x" * 32)
    for known in (final, other, stranger):
        assert verdicts(log, [known]) == (0, 0)


def by_a_county(log):
    return log.succeed(SECOND, author(CDC))


def that_adopts_more_than_there_is(log):
    return log.succeed(SECOND, adopted=len(log.lines) + 1)


def that_hides_what_it_lost(log):
    return log.succeed(SECOND, lost=LOST, checkpoint=log.note(name="log").decode())


def of_another_log(log):
    other = signer("log", THIRD).sign(replace(log.final(), origin=THIRD), NOW).decode()
    return log.succeed(SECOND, predecessor=THIRD, checkpoint=other)


def that_names_another_log_than_its_checkpoint(log):
    return log.succeed(SECOND, predecessor=THIRD)


def to_the_name_that_it_has(log):
    return log.succeed(ORIGIN)


def back_to_an_earlier_name(log):
    log.succeed(SECOND)
    return log.succeed(ORIGIN)


def that_an_entry_of_the_old_name_follows(log):
    log.succeed(SECOND)
    log.origin = ORIGIN
    position = len(log.lines) + 1
    log.grow(1)
    log.origin = SECOND
    return position


def that_was_left_out(log):
    position = len(log.lines) + 1
    log.origin = SECOND
    log.eras.append((position, ("log",)))
    log.grow()
    return position


def that_the_checkpoint_does_not_know(log):
    log.succeed(SECOND)
    log.origin = ORIGIN
    return 1


@pytest.mark.parametrize(
    "attack",
    [
        by_a_county,
        that_adopts_more_than_there_is,
        that_hides_what_it_lost,
        of_another_log,
        that_names_another_log_than_its_checkpoint,
        to_the_name_that_it_has,
        back_to_an_earlier_name,
        that_an_entry_of_the_old_name_follows,
        that_was_left_out,
        that_the_checkpoint_does_not_know,
    ],
)
def test_both_refuse_a_succession(attack):
    log = grown()
    position = attack(log)
    assert verdicts(log) == (position, position)


def test_a_policy_of_both_names_judges_checkpoints_of_both():
    log = grown()
    old = log.note()
    log.succeed(SECOND)
    keys = (*keys_of(log), *signer("second").verifier_keys())
    trust = ProductTrust.of_keys(keys, SECOND)
    assert {log.key.name for log in trust.policy.logs if isinstance(log, Log)} == {ORIGIN, SECOND}
    known = [trust.judge_known(old).checkpoint]
    assert verify_log(MemorySource(log.files()), trust, Extent(known=known)).witnessed


def test_helpers_and_notes_follow_a_log_across(monkeypatch, tmp_path):
    monkeypatch.setattr("client.walk._MANY_BUNDLES", 1)
    log = grown()
    log.grow(200)
    log.succeed(SECOND)
    log.grow(200)
    source, trust = MemorySource(log.files()), ProductTrust.of_keys(keys_of(log))
    with Checkers(1) as checkers:
        alone = verify_log(source, trust)
        assert verify_log(source, trust, None, lambda *_: None, checkers) == alone
        notes = tmp_path / "state"
        verify_log(source, trust, notes=Notes(notes))
        log.grow(200)
        source = MemorySource(log.files())
        resumed = verify_log(source, trust, None, lambda *_: None, checkers, Notes(notes))
    assert resumed.counts == verify_log(source, trust).counts


def test_what_helpers_find_right_under_a_name_that_was_given_up_is_not(monkeypatch):
    monkeypatch.setattr("client.walk._MANY_BUNDLES", 1)
    log = grown()
    log.grow(TILE_WIDTH - 1 - len(log.lines))
    log.succeed(SECOND)
    log.origin = ORIGIN
    log.grow(TILE_WIDTH)
    log.origin = SECOND
    trust = ProductTrust.of_keys(keys_of(log))
    with Checkers(2) as checkers, pytest.raises(RefutedError) as refuted:
        verify_log(MemorySource(log.files()), trust, None, lambda *_: None, checkers)
    first = TILE_WIDTH + 1
    assert (refuted.value.position, refuted.value.reason) == (first, "origin-differs")
