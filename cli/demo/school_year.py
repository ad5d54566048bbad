"""The school year: everything that clinics, schools and guardians write, step by step."""

from collections.abc import Callable, Sequence
from datetime import date

from cli.demo.actors import Author, Place
from cli.demo.citizens import Citizens
from cli.demo.stage import Stage, Step
from cli.demo.submitting import submit, submit_in_batches
from cli.demo.writes import Desk, Lane, count
from client.receipt import Receipt
from examples.kaifeng.dataset import Dataset

THIS_YEAR = date(2018, 1, 1)
"""Doses before it are history that clinics bring; from it on they write each as it is given."""


class SchoolYear:
    """Writes the data set as its organisations and guardians would.

    Args:
        stage: Shows each step.
        place: The log.
        dataset: What happened.
    """

    def __init__(self, stage: Stage, place: Place, dataset: Dataset) -> None:
        self._stage = stage
        self._place = place
        self._dataset = dataset
        self._authors = {
            one.id: Author.newcomer(place, one.id, one.kind, one.division)
            for one in dataset.organisations
        }
        self._desk = Desk(dataset, self._authors)

    async def write(self) -> None:
        """Write all of it, in the order in which it happened.

        Raises:
            StepFailed: The first step that failed.
        """
        try:
            await self._admit()
            await self._submit(
                ("records", "建档", "children registered"), self._desk.registrations()
            )
            earlier, lately = self._desk.histories(THIS_YEAR)
            await self._bring(earlier)
            await self._submit(
                ("doses", "本年接种、禁忌", "this year's doses, a receipt each"), lately
            )
            corrections = len(self._dataset.corrections)
            await self._submit(
                ("corrections", f"{corrections} 项更正", f"{corrections} corrections"),
                self._desk.corrections(),
            )
            await self._share_certificates()
            await self._submit(
                ("checks", "出具证明、入学查验", "statements, enrolments, checks of 12 classes"),
                self._desk.checks(),
            )
            await self._submit(
                ("make-ups", "补证、补种、复核", "reissues, make-up doses, re-checks"),
                self._desk.follow_ups(),
            )
        finally:
            for author in self._authors.values():
                await author.client.close()

    async def _admit(self) -> None:
        """Admit organisations: the operator its county CDC, and that everyone below."""
        first, *others = self._dataset.organisations
        operator, county = Author.operator(self._place), self._authors[first.id]
        lanes = [
            [self._desk.admission(operator, first)],
            *([self._desk.admission(county, one)] for one in others),
        ]
        total = count(lanes)
        step = self._stage.step("admission", "机构入网", "organisations and their keys", total)
        with step as running:
            taken = _counting(running)
            await submit(lanes[:1], taken)  # who admits must have been admitted
            await submit(lanes[1:], taken)
            await operator.client.close()

    async def _submit(self, name: tuple[str, str, str], lanes: Sequence[Lane]) -> None:
        slug, zh, en = name
        with self._stage.step(slug, zh, en, count(lanes)) as running:
            await submit(lanes, _counting(running))

    async def _bring(self, lanes: Sequence[Lane]) -> None:
        zh, en = "补录既往接种史", "earlier histories, in signed batches"
        with self._stage.step("histories", zh, en, count(lanes)) as running:
            await submit_in_batches(lanes, running.advance)

    async def _share_certificates(self) -> None:
        claims, grants = self._dataset.claims, self._dataset.grants
        granted = sum(not grant.is_refused for grant in grants)
        zh = f"{len(claims)} 次申领、{granted} 次授权"
        en = f"{len(claims)} claims, {granted} grants, one refused"
        step = self._stage.step("certificates", zh, en, len(claims) + granted)
        with step as running:
            citizens = Citizens(self._place, _counting(running))
            try:
                await citizens.claim(claims)
                refusal = await citizens.grant(grants)
            finally:
                await citizens.close()
            running.fact(refused_grant=refusal)
            running.note(f"第十一次授权被拒绝 the eleventh grant was refused: {refusal}")


def _counting(running: Step) -> Callable[[Receipt], None]:
    """Return what counts verified receipts."""
    return lambda _receipt: running.advance()
