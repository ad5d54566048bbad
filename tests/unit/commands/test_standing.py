"""What is kept of a record between the writes of one visit."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from commands.reading import Change
from commands.standing import MOST_ENTRIES, Standing, Stood
from domain.organisation import Organisation, OrganisationKind
from ledger.entry import Author, Entry

ENTRY = Entry(
    origin="ledger.example.cn/vax/2026",
    topic="organisation.registered.v1",
    stream="3f0c2f6e-9d1b-4c57-8a35-0e6f7f1d2c3b",
    version=1,
    division="410000",
    recorded_at=datetime(2026, 9, 1, tzinfo=UTC),
    author=Author("3f0c2f6e-9d1b-4c57-8a35-0e6f7f1d2c3b", "ab" * 32, "cd" * 32),
    data={},
    sealed=(),
)


def stood(stream: UUID, entries: int = 1) -> Stood:
    operator = Organisation.register(
        stream,
        registrar=None,
        recorded_at=datetime(2026, 9, 1, tzinfo=UTC),
        name="运营方",
        kind=OrganisationKind.OPERATOR,
        division="410000",
        public_key="ab" * 32,
        key_proof="cd" * 64,
    )
    return Stood(operator, [Change(position, ENTRY) for position in range(entries)])


def test_whoever_takes_a_record_has_it_alone():
    standing, kept = Standing(), stood(uuid4())
    standing.keep(kept)
    assert standing.take(kept.aggregate.id, 1) is kept
    assert standing.take(kept.aggregate.id, 1) is None


def test_a_record_at_another_version_is_forgotten():
    standing, kept = Standing(), stood(uuid4())
    standing.keep(kept)
    assert standing.take(kept.aggregate.id, 2) is None
    assert standing.take(kept.aggregate.id, 1) is None


def test_the_record_that_was_written_longest_ago_goes_first():
    standing = Standing()
    first, second = stood(uuid4()), stood(uuid4())
    standing.keep(first)
    standing.keep(second)
    standing.keep(first)
    standing.keep(stood(uuid4(), MOST_ENTRIES - 1))
    assert standing.take(second.aggregate.id, 1) is None
    assert standing.take(first.aggregate.id, 1) is first


def test_what_was_taken_leaves_room():
    standing = Standing()
    large, small = stood(uuid4(), MOST_ENTRIES), stood(uuid4())
    standing.keep(large)
    standing.take(large.aggregate.id, 1)
    standing.keep(small)
    standing.keep(stood(uuid4(), MOST_ENTRIES - 1))
    assert standing.take(small.aggregate.id, 1) is small


def test_a_record_that_is_longer_than_all_there_is_room_for_is_not_kept():
    standing, longest = Standing(), stood(uuid4(), MOST_ENTRIES + 1)
    standing.keep(longest)
    assert standing.take(longest.aggregate.id, 1) is None
