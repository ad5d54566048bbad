"""What is kept of a record between the writes of one visit."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from commands.standing import MOST_KEPT, Standing, Stood
from domain.organisation import Organisation, OrganisationKind


def stood(stream: UUID) -> Stood:
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
    return Stood(operator, [])


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
    for n in range(MOST_KEPT - 1):
        standing.keep(stood(UUID(int=n + 1)))
    assert standing.take(second.aggregate.id, 1) is None
    assert standing.take(first.aggregate.id, 1) is first
