"""The mirror's page: coverage as a table, one county and all years of birth at a time."""

import sqlite3
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from examples.provincial_mirror.mirror import open_mirror, remembered

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
)


def render(db: sqlite3.Connection, county: str = "") -> str:
    """Return the page.

    Args:
        db: The mirror.
        county: Six digits; the first county if it is none that the mirror knows.
    """
    db.execute("BEGIN")  # one reading for all tables
    try:
        counties = [row[0] for row in db.execute("SELECT DISTINCT county FROM cohorts ORDER BY 1")]
        chosen = county if county in counties else next(iter(counties), "")
        facts = {
            "counties": counties,
            "county": chosen,
            "years": _years(db, chosen),
            "rows": _rows(db, chosen),
            "memory": remembered(db),
            "alarms": db.execute("SELECT kind, count(*) FROM alarms GROUP BY kind").fetchall(),
        }
    finally:
        db.rollback()
    return _TEMPLATES.get_template("page.html").render(facts)


def serve(database: Path, port: int) -> None:
    """Serve the page on loopback until the process is ended."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path != "/":
                self.send_error(404)
                return
            county = parse_qs(address.query).get("county", [""])[0]
            with closing(open_mirror(database)) as db:
                body = render(db, county).encode("utf-8")
            self.send_response(200)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def _years(db: sqlite3.Connection, county: str) -> dict[int, int]:
    rows = db.execute(
        "SELECT birth_year, children FROM cohorts WHERE county = ? AND children > 0 ORDER BY 1",
        (county,),
    )
    return dict(rows.fetchall())


def _rows(db: sqlite3.Connection, county: str) -> dict[str, dict[int, Any]]:
    """Return for each vaccine the children covered and the doses by year of birth."""
    found: dict[str, dict[int, Any]] = {}
    for vaccine, year, covered, doses in db.execute(
        "SELECT vaccine, birth_year, covered, doses FROM coverage"
        " WHERE county = ? AND doses > 0 ORDER BY vaccine, birth_year",
        (county,),
    ):
        found.setdefault(vaccine, {})[year] = {"covered": covered, "doses": doses}
    return found
