"""Who delivers notices: a service over HTTP, or a folder on this machine."""

from pathlib import Path
from typing import Protocol, Self

import httpx

from bootstrap.durable import write_whole
from commands.notices import Notice
from ledger.jcs import canonical

_SECONDS = 10.0
_PASSING = (408, 425, 429)
_SERVER_ERROR = 500


class NoticeUnavailable(Exception):
    """The provider could not be reached, or asks to come again.

    Attributes:
        problem: What happened, as a code.
    """

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


class NoticeRefused(NoticeUnavailable):
    """The provider will never take this notice."""


class Provider(Protocol):
    """Delivers notices."""

    def send(self, notice: Notice) -> None:
        """Hand a notice over; when this returns it is the provider's.

        The same notice may come again after a crash: its id says so.

        Raises:
            NoticeUnavailable, NoticeRefused: It was not taken.
        """


class HttpProvider:
    """A service that takes `POST` of `{"id", "kind", "to", "text": {"zh-CN", "en"}}`.

    It answers 2xx once the notice is its own. The id stands in `Idempotency-Key` too.

    Args:
        url: Where to post.
        token: Bearer token, where it wants one.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = url
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(headers=headers, timeout=_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        """Return the provider."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, notice: Notice) -> None:
        """Post it; see `Provider.send`."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(notice.id)}
        try:
            answer = self._http.post(self._url, content=_document(notice), headers=headers)
        except httpx.HTTPError as error:
            raise NoticeUnavailable(type(error).__name__) from error
        status = answer.status_code
        if answer.is_success:
            return
        if status >= _SERVER_ERROR or status in _PASSING:
            raise NoticeUnavailable(f"http-{status}")
        raise NoticeRefused(f"http-{status}")


class Spool:
    """A folder with a file for each notice, for whoever fetches them from there.

    Args:
        folder: Made when it is missing; only its owner may look.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, notice: Notice) -> None:
        """Write it; the same notice is the same file. See `Provider.send`."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            write_whole(self._folder / f"{notice.id}.json", _document(notice).decode())
        except OSError as error:
            raise NoticeUnavailable(type(error).__name__) from error


def _document(notice: Notice) -> bytes:
    return canonical(
        {
            "id": str(notice.id),
            "kind": notice.kind,
            "to": notice.to,
            "text": {"zh-CN": notice.text.zh, "en": notice.text.en},
        }
    )
