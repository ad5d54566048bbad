"""A key rotation of the log: a pair of signing keys succeeds another one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.errors import DomainError
from domain.organisation import Organisation, OrganisationKind
from domain.sealed import Fact, Sealed
from domain.vocabulary import Division, LogVkey, SignedNote


class NotTheOperator(DomainError):
    """The log's own keys are the operator's matter alone."""

    code = "not-the-operator"
    zh = "日志自身的密钥只能由运营方更换。"


class OverlapTooShort(DomainError):
    """Both pairs sign for a while, so that everybody can follow; that time is not over."""

    code = "overlap-too-short"
    zh = "新旧密钥须并行签名一段时间，期限未满不得停用旧密钥。"


class KeyRetiredAlready(DomainError):
    """This rotation has ended; its older pair is retired."""

    code = "key-retired-already"
    zh = "此次轮换已结束，旧密钥已停用。"


class LogKey(BaseAggregate[UUID]):
    """One rotation: from the introduction of a pair to the retirement of the one before it."""

    TOPIC = "log"
    Event = Fact

    def __init__(self, division: str) -> None:
        self.division = division
        self.retired = False

    @classmethod
    def introduce(
        cls,
        stream: UUID,
        *,
        operator: Organisation,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Introduce a pair of keys, their signatures verified by the caller.

        Args:
            stream: id of the new stream.
            operator: who does it.
            recorded_at: our clock.
            sealed: sealed parts; there are none.
            **fields: clear fields of `log.key-introduced.v1`.

        Raises:
            NotTheOperator: another organisation.
        """
        if operator.kind is not OrganisationKind.OPERATOR:
            raise NotTheOperator
        return cls._create(
            event_class=cls.Introduced, id=stream, timestamp=recorded_at, sealed=sealed, **fields
        )

    def retire(
        self,
        *,
        operator: Organisation,
        period: timedelta,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """End the overlap: from here on the newer pair signs alone.

        Args:
            operator: who does it.
            period: how long both pairs sign at least.
            recorded_at: our clock.
            sealed: sealed parts; there are none.
            **fields: clear fields of `log.key-retired.v1`.

        Raises:
            DomainError: NotTheOperator, KeyRetiredAlready or OverlapTooShort.
        """
        if operator.kind is not OrganisationKind.OPERATOR:
            raise NotTheOperator
        if self.retired:
            raise KeyRetiredAlready
        until = self.created_on + period
        if recorded_at < until:
            raise OverlapTooShort(until=until.isoformat())
        self.trigger_event(self.Retired, timestamp=recorded_at, sealed=sealed, **fields)

    class Introduced(Fact, AggregateCreated):
        """A pair of log keys was introduced: from here on it signs beside the one before it.

        Attributes:
            division: the operator's.
            ed25519: its Ed25519 key (0x01), as a vkey under the log's name.
            ml_dsa_44: its ML-DSA-44 key (0x06), likewise.
            replaces_ed25519: the Ed25519 key that signs so far.
            replaces_ml_dsa_44: the ML-DSA-44 key that signs so far.
            proof: the log's checkpoint of size 0, a note signed by both new keys.
        """

        TOPIC = "log.key-introduced.v1"

        division: Division
        ed25519: LogVkey
        ml_dsa_44: LogVkey
        replaces_ed25519: LogVkey
        replaces_ml_dsa_44: LogVkey
        proof: SignedNote

    class Retired(Fact):
        """The older pair of log keys was retired: from here on the newer one signs alone.

        Attributes:
            overlap: a checkpoint that covers the introduction, a note signed by all four keys.
        """

        TOPIC = "log.key-retired.v1"

        overlap: SignedNote

        def apply(self, aggregate: LogKey) -> None:
            """The rotation is over."""
            aggregate.retired = True
