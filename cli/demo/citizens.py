"""What guardians do at the console: claim certificates and let others use them (C-12 to C-18)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from cli.demo.actors import Place
from cli.demo.stage import Mismatch
from client.errors import ProblemError
from client.exchange import ACCEPTED
from client.http import AsyncClient
from client.receipt import Receipt
from examples.kaifeng.rows import Claim, Grant

LIMIT = "grant_limit"


class Citizens:
    """The guardians of the data set, each with a token of their own.

    Args:
        place: Where.
        taken: Told of each verified receipt.
    """

    def __init__(self, place: Place, taken: Callable[[Receipt], None]) -> None:
        self._place = place
        self._taken = taken
        self._clients: dict[UUID, AsyncClient] = {}
        self._certificates: dict[UUID, UUID] = {}

    async def claim(self, claims: Iterable[Claim]) -> None:
        """Claim certificates; the platform names each, on behalf of its holder.

        Raises:
            ClientError: A claim was refused or not proven.
        """
        for claim in claims:
            client = AsyncClient(self._place.citizen(claim.name, claim.id_number))
            self._clients[claim.certificate] = client
            body = {"record": str(claim.record), "has_consented": True}
            receipt = await self._post(client, "/v1/certificates", body)
            self._certificates[claim.certificate] = receipt.entry.stream

    async def grant(self, grants: Iterable[Grant]) -> str:
        """Grant in order, and return the refusal of the one too many as a sentence.

        Raises:
            Mismatch: The one too many was taken.
            ClientError: Another was refused or not proven.
        """
        refusal = None
        for grant in grants:
            client = self._clients[grant.certificate]
            path = f"/v1/certificates/{self._certificates[grant.certificate]}/grants"
            body = _body(grant)
            if not grant.is_refused:
                await self._post(client, path, body)
                continue
            try:
                await self._post(client, path, body)
            except ProblemError as problem:
                refusal = _refusal(problem)
        if refusal is None:
            raise Mismatch("the eleventh grant was not refused")
        return refusal

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.close()

    async def _post(self, client: AsyncClient, path: str, body: Mapping[str, Any]) -> Receipt:
        key = str(uuid4())
        answer = await client.request("POST", path, body, idempotency_key=key)
        while answer.status == ACCEPTED:  # stored, but no checkpoint covered it within the wait
            answer = await client.request("POST", path, body, idempotency_key=key)
        receipt = Receipt.verify(answer.json(), client.caller.trust)
        self._taken(receipt)
        return receipt


def _body(grant: Grant) -> dict[str, Any]:
    """Return a grant as its holder fills it in; the server gives ids and handles."""
    (grantee,) = grant.private.values()
    names = ("relation", "scope", "ends_on")
    asked = {name: grant.data[name] for name in names if name in grant.data}
    return {**asked, "grantee": grantee}


def _refusal(problem: ProblemError) -> str:
    slug = str(problem.problem.get("type", "")).rsplit("/", 1)[-1]
    if slug != LIMIT:
        raise problem
    return f"{problem.status} {slug}: {problem.problem.get('title', '')}"
