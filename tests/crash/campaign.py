"""A load of signed doses while parts of the installation are killed, and the count afterwards.

Everything random in a campaign comes from its seed: which parts are struck, in which order, after
how many acknowledged doses, and how long after that. The operating system adds its own chance.
"""

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from bootstrap.settings import Settings
from bootstrap.wiring import wire
from ledger.store.reading import LogReader
from projections.loop import LOG_PROJECTIONS, Projector
from tests.crash import load as loading
from tests.crash.counting import Databases, Findings, count_log, count_tree, count_views
from tests.crash.following import count_feed, last_sequence, read_streams
from tests.crash.load import Country, Load
from tests.crash.serving import KINDS, Installation, free_port, until
from tests.crash.tree import Head, Tree, is_consistent, is_included, read_head, read_proof

_FIRST_SHARE, _LAST_SHARE = 0.01, 0.93
_TOGETHER = 0.3  # share of strikes that fall right behind the one before, into its recovery
_LONGEST_DELAY = 0.4


@dataclass(frozen=True)
class Strike:
    """One blow.

    Attributes:
        kind: Which part.
        after: Acknowledged doses before it.
        delay: Seconds more.
        frozen: Seconds between SIGSTOP and SIGCONT; 0 for SIGKILL.
    """

    kind: str
    after: int
    delay: float
    frozen: float = 0.0


def plan(
    seed: int, doses: int, strikes: int, kinds: Sequence[str] = KINDS, frozen: float = 0.0
) -> list[Strike]:
    """Spread strikes over kinds as evenly as they go, over the load at random.

    Args:
        seed: Where all chance comes from.
        doses: Size of the load.
        strikes: How many.
        kinds: What is struck.
        frozen: Longest seconds of a SIGSTOP; 0 to kill.
    """
    chance = random.Random(seed)
    struck = [kinds[number % len(kinds)] for number in range(strikes)]
    chance.shuffle(struck)
    moments = sorted(chance.uniform(_FIRST_SHARE, _LAST_SHARE) for _ in struck)
    for number in range(1, strikes):
        if chance.random() < _TOGETHER:
            moments[number] = moments[number - 1]
    return [
        Strike(
            kind,
            int(doses * moment),
            chance.uniform(0, _LONGEST_DELAY),
            chance.uniform(frozen / 4, frozen),
        )
        for kind, moment in zip(struck, moments, strict=True)
    ]


@dataclass
class Campaign:
    """One run.

    Attributes:
        seed: Of the plan.
        struck: What was hit: kind and pid.
        findings: The count.
        load: What was sent and answered.
        settled_seconds: From the last acknowledgement until all is followed and ready.
        cold_start_seconds: From the first start until every part was ready.
    """

    seed: int
    installation: Installation
    load: Load = field(default_factory=Load)
    struck: list[tuple[str, int]] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    cold_start_seconds: float = 0.0
    settled_seconds: float = 0.0

    def __str__(self) -> str:
        kinds = dict(Counter(kind for kind, _ in self.struck))
        counts = {what: number for what, number in self.findings.counts.items() if number}
        return (
            f"seed {self.seed}: {self.load.doses} doses in {self.load.seconds:.1f} s, "
            f"struck {len(self.struck)} {kinds}, starts {self.installation.starts}, "
            f"pursued {self.load.pursued}, slowest write {self.load.longest:.1f} s, "
            f"cold start {self.cold_start_seconds:.1f} s, settled {self.settled_seconds:.1f} s\n"
            f"counted {counts}\nwrong: {self.findings}"
        )


def new_installation(place: Path) -> Installation:
    """An installation of its own below a directory, on a free port."""
    data_dir = place / f"campaign-{os.getpid()}-{time.monotonic_ns()}"
    return Installation(Settings(data_dir=data_dir, port=free_port()))


def run_campaign(
    installation: Installation,
    strikes: list[Strike],
    *,
    seed: int,
    doses: int,
    rival: str | None = None,
) -> Campaign:
    """Start, load, strike, wait until all is followed, count.

    Nobody helps the installation: the supervisor, when it was killed, is the only thing that is
    started from outside.

    Args:
        installation: Not yet started.
        strikes: What is struck, in order.
        seed: Where they came from.
        doses: How many are recorded at least.
        rival: A worker of which a second one runs beside the supervised one.
    """
    campaign = Campaign(seed, installation)
    installation.start()
    campaign.cold_start_seconds = installation.until_ready()
    try:
        with installation.rival(rival) if rival else nullcontext():
            _load_under_fire(campaign, strikes, doses)
            campaign.settled_seconds = settle(installation)
        count(campaign)
    except BaseException:
        print(campaign)
        print(installation.last_words(20_000))
        raise
    return campaign


def _load_under_fire(campaign: Campaign, strikes: list[Strike], doses: int) -> None:
    over = threading.Event()
    failures: list[BaseException] = []

    def fire() -> None:
        try:
            for strike in strikes:
                _fire(campaign, strike, over)
        except BaseException as error:  # noqa: BLE001  shown by the test
            failures.append(error)

    country = Country(campaign.installation.settings, campaign.installation.addresses().http_url)
    gun = threading.Thread(target=fire)
    gun.start()
    try:
        families = loading.families(doses, gun.is_alive)
        asyncio.run(loading.run(country, families, campaign.load))
    finally:
        over.set()
        gun.join()
    assert not failures, failures


def _fire(campaign: Campaign, strike: Strike, over: threading.Event) -> None:
    while campaign.load.doses < strike.after and not over.is_set():
        time.sleep(0.002)
    time.sleep(strike.delay)
    installation = campaign.installation
    pid = installation.strike_surely(strike.kind, over, frozen=strike.frozen)
    if pid is not None:
        campaign.struck.append((strike.kind, pid))


def settle(installation: Installation) -> float:
    """Wait until every part is ready and view and stream have followed; return the seconds."""
    seconds = installation.until_ready()
    databases = databases_of(installation)
    ((size,),) = databases.log("SELECT size FROM ledger.head")

    def is_followed() -> bool:
        published = databases.log("SELECT published FROM ledger.checkpoint")
        views = databases.log("SELECT min(position) FROM views.positions")
        people = databases.keys("SELECT min(position) FROM people.positions")
        return published == views == people == [(size,)]

    seconds += until(is_followed, f"views do not reach {size}")
    addresses = installation.addresses()
    seconds += until(lambda: asyncio.run(last_sequence(addresses)) == size, "the feed stays behind")
    return seconds + installation.until_ready()


def databases_of(installation: Installation) -> Databases:
    """Both databases, as superuser."""
    return Databases(*installation.superuser_urls)


def count(campaign: Campaign) -> None:
    """Count log, tree, receipts, views and stream of an installation at rest."""
    installation, findings = campaign.installation, campaign.findings
    acknowledged = campaign.load.acknowledged
    databases = databases_of(installation)
    log = count_log(findings, databases, acknowledged)
    tree = Tree([row.leaf for row in log])
    count_tree(findings, databases, log, tree)
    told, notes = asyncio.run(read_streams(installation.addresses()))
    count_feed(findings, told, log)
    settings = installation.addresses().settings(installation.settings)
    with wire(settings) as parts:
        heads = _count_checkpoints(campaign, databases, tree, [one.body for one in notes])
        heads |= _count_receipts(campaign, tree)
        _count_consistency(findings, parts.reader, heads)
        count_views(findings, databases, log, acknowledged)
        projector = Projector(
            parts.reader, parts.settings.database_url, parts.settings.keys_url, parts.vault
        )
        try:
            _count_digests(findings, projector)
        finally:
            projector.close()


def _count_checkpoints(
    campaign: Campaign, databases: Databases, tree: Tree, told: list[bytes]
) -> dict[int, bytes]:
    """Verify every checkpoint that is kept anywhere; return root by size."""
    country = Country(campaign.installation.settings, "")
    key = country.log_key
    findings = campaign.findings
    ((published, newest),) = databases.log(
        "SELECT published, published_note FROM ledger.checkpoint"
    )
    outside = (campaign.installation.data_dir / "outside" / "checkpoint").read_bytes()
    findings.expect_equal("checkpoint outside differs", outside, newest)
    kept = [note for (note,) in databases.log("SELECT note FROM ledger.checkpoints ORDER BY size")]
    heads = [read_head(note, country.origin, key) for note in (*told, *kept, newest)]
    findings.expect_equal("newest checkpoint is behind", heads[-1].size, len(tree.leaves))
    findings.expect_equal("published is behind", published, len(tree.leaves))
    sizes = [head.size for head in heads[: len(told)]]
    findings.expect("checkpoints of the feed out of order", _not_rising(sizes))
    findings.expect(
        "wrong roots", (h.size for h in heads if h.size and tree.root(h.size) != h.root)
    )
    findings.counts["checkpoints"] = len(heads)
    return {head.size: head.root for head in heads if head.size}


def _not_rising(sizes: list[int]) -> list[tuple[int, int]]:
    return [(one, next_one) for one, next_one in pairwise(sizes) if next_one <= one]


def _count_receipts(campaign: Campaign, tree: Tree) -> dict[int, bytes]:
    """Verify every receipt that was handed out, by our own reading; return root by size."""
    country = Country(campaign.installation.settings, "")
    notes: dict[bytes, Head] = {}
    wrong: list[int] = []
    for ack in campaign.load.acknowledged:
        proof = read_proof(ack.receipt.proof.encode())
        head = notes.get(proof.note)
        if head is None:
            head = notes[proof.note] = read_head(proof.note, country.origin, country.log_key)
        leaf = tree.leaves[ack.receipt.position - 1]
        if not (
            proof.index == ack.receipt.position - 1
            and tree.root(head.size) == head.root
            and is_included(proof.index, head.size, leaf, proof.path, head.root)
        ):
            wrong.append(ack.receipt.position)
    campaign.findings.expect("receipts that do not hold", wrong)
    return {head.size: head.root for head in notes.values()}


def _count_consistency(findings: Findings, reader: LogReader, heads: dict[int, bytes]) -> None:
    """Prove that each checkpoint ever seen is a prefix of the next one."""
    findings.counts["trees shown"] = len(heads)
    findings.expect(
        "trees that are not a prefix of the next",
        (
            (old, new)
            for old, new in pairwise(sorted(heads))
            if not is_consistent(
                old, new, heads[old], heads[new], reader.consistency_proof(old, new)
            )
        ),
    )


def _count_digests(findings: Findings, projector: Projector) -> None:
    for name in (*(projection.name for projection in LOG_PROJECTIONS), "people"):
        lived = projector.digest(name)
        projector.rebuild(name)
        findings.expect_equal(
            f"digest of {name} differs after a rebuild", projector.digest(name), lived
        )
