"""The evidence: what the county reads, what an integrator receives, what a regulator verifies."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from bootstrap.addresses import Addresses
from cli.demo.actors import Place
from cli.demo.auditing import Audit, Verdict
from cli.demo.expectations import compare
from cli.demo.following import Followed, follow
from cli.demo.reports import ClassOf, Reports, print_register, print_roll_up
from cli.demo.stage import Mismatch, Stage
from cli.demo.tampering import Forgery, tampered
from client.http import AsyncClient
from client.sources import CHECKPOINT
from commands.principal import Principal, Role
from domain.vocabulary import EntryType
from examples.kaifeng.dataset import Dataset
from ledger.policy import Judgement
from ledger.treehead import Checkpoint

_WITNESS_SECONDS = 5.0
_LOOK_SECONDS = 0.1


class Evidence:
    """Reads and proves what the school year has written.

    Args:
        stage: Shows each step.
        place: The log.
        addresses: Where feed and databases are.
        dataset: What happened.
    """

    def __init__(self, stage: Stage, place: Place, addresses: Addresses, dataset: Dataset) -> None:
        self._stage = stage
        self._place = place
        self._addresses = addresses
        self._dataset = dataset

    async def show(self, audit: Audit) -> Judgement:
        """Do all of it and return the checkpoint that it rests on, with who signed it.

        Raises:
            StepFailed: The first step that failed.
        """
        judgement = await self._judged()
        checkpoint = judgement.checkpoint
        roll_ups = await self._print_tables(checkpoint)
        followed = await self._follow(checkpoint)
        self._compare(followed, roll_ups)
        await self._verify_copy(audit, checkpoint)
        await self._attack(audit, followed)
        return judgement

    async def _judged(self) -> Judgement:
        """Return the newest checkpoint, verified; the witness has some seconds to cosign it."""
        deadline = time.monotonic() + _WITNESS_SECONDS
        async with AsyncClient(self._place.regulator()) as client:
            while True:
                answer = await client.request("GET", f"/{CHECKPOINT}")
                judgement = self._place.trust.judge(answer.content)
                if judgement.witnessed or time.monotonic() > deadline:
                    return judgement
                await asyncio.sleep(_LOOK_SECONDS)

    async def _print_tables(self, checkpoint: Checkpoint) -> Mapping[str, Mapping[str, Any]]:
        county = next(one for one in self._dataset.organisations if one.kind == "county-cdc")
        caller = self._place.caller(
            Principal("county", Role.COUNTY_CDC, county.id, county.division)
        )
        shown = _class_with_most_to_see(self._dataset)
        with self._stage.step("tables", "附件3、附件4", "class register and county roll-up"):
            async with AsyncClient(caller) as client:
                reports = Reports(client, checkpoint.size)
                register = await reports.register(shown)
                roll_ups = {
                    kind.value: await reports.roll_up(county.division, kind, shown.school_year)
                    for kind in EntryType
                }
        print_register(self._stage.console, register)
        for roll_up in roll_ups.values():
            print_roll_up(self._stage.console, roll_up)
        return roll_ups

    async def _follow(self, checkpoint: Checkpoint) -> Followed:
        zh, en = "订阅消息流至末尾", "the feed, followed to its end over NATS"
        with self._stage.step("feed", zh, en, checkpoint.size) as running:
            followed = await follow(self._addresses, checkpoint, running.advance)
            running.fact(root=checkpoint.root.hex())
            running.note(
                f"{checkpoint.size:,} 条，序号、叶哈希与签名的树根一致 "
                f"sequences and leaf hashes make the signed root {checkpoint.root.hex()[:16]}…"
            )
        return followed

    def _compare(self, followed: Followed, roll_ups: Mapping[str, Mapping[str, Any]]) -> None:
        zh, en = "与数据集的已知结果比对", "compared with what the data set must give"
        with self._stage.step("expectations", zh, en) as running:
            running.advance(compare(self._dataset, followed.tally, roll_ups))

    async def _verify_copy(self, audit: Audit, checkpoint: Checkpoint) -> None:
        with self._stage.step("export", "导出日志", "the log exported over HTTP") as running:
            facts = await audit.export()
            running.fact(size=facts["size"])
            running.advance(int(facts["size"]))
        zh, en = "离线验证导出的日志", "the copy verified offline, without a database"
        with self._stage.step("verify", zh, en) as running:
            verdict = await audit.verify_copy()
            _check_holds(verdict)
            running.advance(int(verdict.facts["size"]))
            running.fact(**verdict.facts)
            running.note(
                f"{verdict.facts['envelopes']:,} 个签名 signatures, "
                f"{verdict.facts['streams']:,} 个流 streams, {verdict.facts['keys']} 把密钥 keys"
            )
            if verdict.facts["size"] < checkpoint.size:
                raise Mismatch("the copy is older than what was read before")

    async def _attack(self, audit: Audit, followed: Followed) -> None:
        """Change a stored dose as superuser, let verification find it, restore it."""
        forgery = _forgery(followed)
        superuser_url = self._addresses.superuser_url
        assert superuser_url is not None, "the demo runs on embedded servers"
        zh = f"超级用户篡改第 {forgery.position} 条，再验证"
        en = f"position {forgery.position} altered by a superuser, then verified"
        with self._stage.step("tamper", zh, en) as running:
            async with tampered(superuser_url, forgery):
                verdict = await audit.verify_server()
            found = (verdict.holds, verdict.facts.get("position"))
            if found != (False, forgery.position):
                raise Mismatch(f"verification did not name {forgery.position}: {verdict.facts}")
            running.fact(position=forgery.position, reason=verdict.facts["reason"])
            running.note(f"{forgery.before} → {forgery.after}")
            running.note(
                f"验证指出 verification names: position {forgery.position}, "
                f"{verdict.facts['reason']}"
            )
        zh, en = "恢复原字节，再验证", "the bytes restored, then verified again"
        with self._stage.step("restore", zh, en) as running:
            verdict = await audit.verify_server()
            _check_holds(verdict)
            running.advance(int(verdict.facts["size"]))
            running.note("日志成立 the log holds")


def _check_holds(verdict: Verdict) -> None:
    if not verdict.holds:
        raise Mismatch(f"the log does not hold: {verdict.facts}")


def _forgery(followed: Followed) -> Forgery:
    """Return the change of one dose's lot: the number that a recall goes by."""
    assert followed.dose is not None, "the data set has doses"
    position, entry = followed.dose
    lot = str(entry.data["lot"])
    other = f"{lot[:-1]}{(int(lot[-1]) + 1) % 10}"
    return Forgery(position, f'"lot":"{lot}"', f'"lot":"{other}"')


def _class_with_most_to_see(dataset: Dataset) -> ClassOf:
    """Return the class in which most children lack doses, are exempt, or came back later."""
    weights: dict[ClassOf, int] = {}
    for child in dataset.children:
        enrolment, check = child.enrolment, child.check
        one = ClassOf(
            enrolment.institution, enrolment.class_name, int(enrolment.data["school_year"])
        )
        record = str(child.record)
        weights[one] = weights.get(one, 0) + sum(
            (
                record in dataset.expected["missing"],
                record in dataset.expected["exempt"],
                check.reissued_on is not None,
                check.rechecked_on is not None,
            )
        )
    return max(weights, key=lambda one: weights[one])
