"""Recovering the log of an installation: the one occasion on which none of its parts runs."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from bootstrap.copies import FeedCopies, FileCopies, FirstOf
from bootstrap.embedded.directory import lock_instance, make_data_dir
from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.embedded.postgres import KEYS_OWNER, EmbeddedPostgres
from bootstrap.log_keys import log_terms
from bootstrap.migrate import migrate_all
from bootstrap.settings import Settings
from bootstrap.shred_list import shred_list
from bootstrap.succession import successor_of
from bootstrap.supervisor import LOCK_NAME
from bootstrap.wiring import wire
from client.feed import FeedServer
from client.sources import Source
from client.stored_feed import StoredFeed
from commands.reclaiming import Reclaiming, request_of
from ledger.store.connections import connect
from ledger.store.halting import Halt, lift, standing_halt
from ledger.store.integration import ROLE
from ledger.store.lost import ClaimsOf, Copies, Survey
from ledger.store.recovery import Progress, Recovery, refuse_behind, refuse_other_origin
from ledger.store.recovery_errors import RecoveryRefused
from ledger.store.surveying import verified


class LossesNotAccepted(RecoveryRefused):
    """No copy has everything that hung on the lost entries; accept that, or bring a better copy."""

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        super().__init__(envelopes=len(survey.no_envelope), sealed_values=len(survey.no_blob))


@dataclass(frozen=True, slots=True)
class Plan:
    """How to recover.

    Attributes:
        exports: Copies of the log as files, the best first.
        has_feed: Whether the feed is read where they end.
        notes: Further checkpoints that were signed.
        is_dry: Whether nothing is written.
        accepts_losses: Whether envelopes and sealed values that no copy has are given up, and with
            a new origin entries too.
        new_origin: The name under which the log goes on where copies do not reach; empty to put
            everything back under the old one or do nothing.
    """

    exports: Sequence[Source] = ()
    has_feed: bool = True
    notes: Sequence[bytes] = ()
    is_dry: bool = False
    accepts_losses: bool = False
    new_origin: str = ""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What nobody has any more when a log goes on under a new origin.

    Attributes:
        origin: Its new name.
        adopted: How many entries survive; the next one says what was lost.
        lost: How many signed entries do not.
        undecided: Records that were shredded by a decision that is lost: their keys stay
            destroyed, and whoever is responsible decides again.
    """

    origin: str
    adopted: int
    lost: int
    undecided: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found, and what was done.

    Attributes:
        survey: What was there.
        untold: Positions of entries whose claims could not be told: a number or a package code
            that was sealed there may be taken a second time.
        given_up: What a new origin cost; None where the old one goes on.
    """

    survey: Survey
    untold: Sequence[int] = ()
    given_up: GivenUp | None = None


def recover(settings: Settings, plan: Plan, progress: Progress) -> Recovered:
    """Recover the log, or find out whether it can be.

    Raises:
        LossesNotAccepted: If something is lost for good and that was not accepted.
        StoreError: See ``Recovery``.
        BootstrapError: If something runs on the data directory, or a server does not start.
    """
    with at_rest(settings, has_feed=plan.has_feed) as resting, ExitStack() as stack:
        exports = [FileCopies(source) for source in plan.exports]
        copies: list[Copies] = [*exports]
        if plan.has_feed and resting.nats_url is not None:
            copies.append(FeedCopies(stack.enter_context(StoredFeed(_feed_of(resting)))))
        notes = [*plan.notes, *(one.note for one in exports if one.note is not None)]
        assert resting.database_url is not None
        recovery = Recovery(
            resting.database_url, log_terms(resting, notes), FirstOf(copies), request_of
        )
        parts = stack.enter_context(wire(resting))
        running = stack.enter_context(recovery)
        claims_of = Reclaiming(parts.vault, parts.reader).claims_of
        if plan.new_origin:
            return _succeed(resting, plan, running, claims_of, progress)
        survey = running.survey(progress)
        if (survey.no_envelope or survey.no_blob) and not (plan.accepts_losses or plan.is_dry):
            raise LossesNotAccepted(survey)
        if plan.is_dry:
            return Recovered(survey)
        running.refill(survey, progress)
        untold = running.reclaim(survey, claims_of)
        running.finish(survey, datetime.now(UTC), progress)
        return Recovered(survey, untold)


def _succeed(
    settings: Settings, plan: Plan, running: Recovery, claims_of: ClaimsOf, progress: Progress
) -> Recovered:
    """Put back what can be had, and let a new origin adopt what there is then."""
    successor = successor_of(settings, plan.new_origin, is_dry=plan.is_dry)
    if successor is not None and running.is_succeeded(successor):
        position = running.succeed(successor, b"", datetime.now(UTC), progress)
        return Recovered(Survey(position, position, position, b""))
    survey, final = running.survey_rest(progress)
    adopted = max(survey.entries, survey.signed)
    lost = max(verified(final, log_terms(settings)).size - adopted, 0)
    given_up = GivenUp(plan.new_origin, adopted, lost, _undecided(settings, adopted))
    if successor is None:
        return Recovered(survey, (), given_up)
    if not plan.accepts_losses:
        raise LossesNotAccepted(survey)
    running.refill(survey, progress)
    untold = running.reclaim(survey, claims_of)
    running.succeed(successor, final, datetime.now(UTC), progress)
    return Recovered(survey, untold, given_up)


def _undecided(settings: Settings, adopted: int) -> list[UUID]:
    """Return the records whose keys were destroyed by a decision that is lost."""
    return [shred.record for shred in shred_list(settings).read() if shred.position > adopted]


@contextmanager
def at_rest(settings: Settings, *, has_feed: bool) -> Iterator[Settings]:
    """An installation none of whose parts runs, with its databases up to date.

    Raises as `servers_at_rest`.
    """
    with servers_at_rest(settings, has_feed=has_feed) as resting:
        assert resting.database_url is not None
        assert resting.keys_url is not None
        migrate_all(resting.database_url, resting.keys_url)
        yield resting


@contextmanager
def servers_at_rest(settings: Settings, *, has_feed: bool) -> Iterator[Settings]:
    """An installation none of whose parts runs; embedded servers run for the caller alone.

    Raises:
        BootstrapError: something runs on the data directory, or a server does not start.
    """
    with ExitStack() as stack:
        stack.enter_context(lock_instance(make_data_dir(settings.data_dir) / LOCK_NAME))
        if settings.database_url is None:
            postgres = EmbeddedPostgres.start(settings.data_dir)
            stack.callback(postgres.stop)
            urls = {"database_url": postgres.url(), "keys_url": postgres.url(KEYS_OWNER)}
            settings = settings.model_copy(update=urls)
        if settings.nats_url is None and has_feed:
            nats = EmbeddedNats.start(settings.data_dir)
            stack.callback(nats.stop)
            found = {"nats_url": nats.url, "nats_user": nats.user, "nats_password": nats.password}
            settings = settings.model_copy(update=found)
        yield settings


def resume(settings: Settings) -> Halt | None:
    """Let a halted log be written again: its operator has looked.

    Returns:
        What halted it; None if nothing did.

    Raises:
        OtherOrigin: The log goes on under another name than the settings have.
        RolledBack: The database lies behind what was signed: only a recovery helps.
        Forked: The file outside the database is not this log's.
        BootstrapError: Something runs on the data directory, or a server does not start.
    """
    with at_rest(settings, has_feed=False) as resting:
        assert resting.database_url is not None
        refuse_other_origin(resting.database_url, resting.origin)
        refuse_behind(resting.database_url, log_terms(resting))
        with connect(resting.database_url, ROLE) as connection:
            found = standing_halt(connection)
            lift(connection)
    return found


def _feed_of(settings: Settings) -> FeedServer:
    assert settings.nats_url is not None
    return FeedServer(
        settings.nats_url, user=settings.nats_user or "", password=settings.nats_password or ""
    )
