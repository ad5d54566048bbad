"""The attack: one stored event is changed by somebody with all powers over the database.

The attacker is thorough: privileges do not hold a superuser, triggers are switched off, and the
leaf hash beside the entry is changed along with it, so that the tables agree with each other.
What cannot be changed is the tree that was signed over the old bytes.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg

from cli.demo.stage import Mismatch
from ledger.hashing import leaf_hash

_READ = "SELECT entry, leaf FROM ledger.entries WHERE position = %s"
_WRITE = "UPDATE ledger.entries SET entry = %s, leaf = %s WHERE position = %s"
_NO_TRIGGERS = "SET session_replication_role = replica"


@dataclass(frozen=True, slots=True)
class Forgery:
    """A change to be made.

    Attributes:
        position: Of the entry.
        before: Text in the entry, which must stand there.
        after: What stands there instead.
    """

    position: int
    before: str
    after: str


@asynccontextmanager
async def tampered(superuser_url: str, forgery: Forgery) -> AsyncIterator[None]:
    """Change an entry, and put its exact bytes back in the end, whatever happens in between.

    Args:
        superuser_url: Libpq URL of the log's database as superuser.
        forgery: What is changed.

    Raises:
        Mismatch: The entry is not there or does not say what is to be changed.
    """
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as connection:
        await connection.execute(_NO_TRIGGERS)
        found = await (await connection.execute(_READ, [forgery.position])).fetchone()
        if found is None:
            raise Mismatch(f"there is no entry at position {forgery.position}")
        entry, leaf = bytes(found[0]), bytes(found[1])
        forged = entry.replace(forgery.before.encode(), forgery.after.encode())
        if forged == entry:
            raise Mismatch(f"the entry does not say {forgery.before}")
        await connection.execute(_WRITE, [forged, leaf_hash(forged), forgery.position])
        try:
            yield
        finally:
            await connection.execute(_WRITE, [entry, leaf, forgery.position])
