"""The log itself: integrating it, and verifying a copy of it offline."""

import os
from pathlib import Path

from benchmarks.contest import Contestant, Pace
from benchmarks.floors import bare_hash, bare_verify, bare_verify_everywhere
from benchmarks.measuring import alone, once
from benchmarks.site import Site
from client.beside import Checkers
from client.copying import LogCopy
from client.sources import FolderSource, StoreSource
from client.verify import Extent, verify_log
from ledger.frontier import Frontier
from ledger.hashing import HASH_BYTES
from ledger.tiles import tiles_for_growth

LEAVES = "leaves/s"
IN_MEMORY = "integrate in memory"
INTO_POSTGRES = "integrate into PostgreSQL"
HASHES_ONLY = "verify a copy, hashes only"
NO_ENVELOPES = "verify a copy, without envelopes"
EVERYTHING = "verify a copy, everything"
ENTRIES_A_SECOND = "entries/s"
HASH = "SHA-256 of an entry, beside the log"
NODE = "SHA-256 of a tree node, beside the log"
SIGNATURE = "Ed25519 verify, 1 core, beside the log"
SIGNATURES = "Ed25519 verify, all cores, beside the log"
_IN_MEMORY = 100_000
_INTEGRATED = 12_000
_VERIFIED = 20_000


def contestants(site: Site, pace: Pace) -> list[Contestant]:
    """Integration in memory and into PostgreSQL; verification of a copy in three depths."""
    site.grow(pace.amount(_VERIFIED))
    return [
        bare_hash(HASH),
        bare_hash(NODE, 2 * HASH_BYTES),
        bare_verify(SIGNATURE),
        bare_verify_everywhere(SIGNATURES, SIGNATURE),
        _in_memory(pace),
        _into_postgres(site, pace),
        *_verified(site, site.ground.new_folder("copy")),
    ]


def _in_memory(pace: Pace) -> Contestant:
    amount = pace.amount(_IN_MEMORY)
    leaves = [os.urandom(HASH_BYTES) for _ in range(amount)]

    def work() -> int:
        frontier = Frontier()
        frontier.extend(leaves)
        frontier.root()
        tiles_for_growth(0, leaves, lambda *_: b"")
        return amount

    return Contestant(
        f"{IN_MEMORY}, batch of {amount:,}",
        LEAVES,
        lambda _: once(work),
        beside=NODE,
        note="tiles and root",
    )


def _into_postgres(site: Site, pace: Pace) -> Contestant:
    amount = pace.amount(_INTEGRATED)

    def prepare() -> None:
        site.integrate()
        site.grow(site.head + amount)

    return Contestant(
        INTO_POSTGRES,
        LEAVES,
        lambda _: once(site.integrate),
        prepare,
        beside=HASH,
        note="re-read, re-hash, tiles, read back, sign, outside file",
    )


def _verified(site: Site, folder: Path) -> list[Contestant]:
    source = FolderSource(folder)
    cores = os.cpu_count() or 1
    checkers = Checkers(cores)  # its processes end with this one

    def prepare() -> None:
        site.integrate()
        LogCopy(folder, site.trust).extend(StoreSource(site.parts.reader))
        verify(envelopes=False)  # processes that are started later would be measured

    def verify(*, envelopes: bool, entries: bool = True) -> int:
        extent = Extent(envelopes=envelopes, entries=entries)
        return verify_log(source, site.trust, extent, checkers=checkers).checkpoint.size

    return [
        Contestant(
            HASHES_ONLY,
            ENTRIES_A_SECOND,
            lambda seconds: alone(lambda: verify(envelopes=False, entries=False), seconds),
            prepare,
            beside=HASH,
            note="entries, leaves, tiles, root and checkpoint; 1 core",
        ),
        Contestant(
            NO_ENVELOPES,
            ENTRIES_A_SECOND,
            lambda seconds: alone(lambda: verify(envelopes=False), seconds),
            prepare,
            beside=HASH,
            note=f"canonical form, shapes, versions; {cores} processes beside the one that judges",
        ),
        Contestant(
            EVERYTHING,
            ENTRIES_A_SECOND,
            lambda seconds: alone(lambda: verify(envelopes=True), seconds),
            prepare,
            beside=SIGNATURES,
            note=f"every author's signature; {cores} processes beside the one that judges",
        ),
    ]
