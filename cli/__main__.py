"""The `vaxledger` command."""

import logging
import sys

import psycopg

from bootstrap.errors import BootstrapError
from bootstrap.logs import means_something
from cli.app import app
from ledger.errors import LedgerError

USAGE_ERROR = 2


def main() -> None:
    """Run the command; what cannot start, be read or be written, or answer, is one line and 2."""
    # A pool that cannot connect says so each second, and then raises the same.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    logging.getLogger("asyncio").addFilter(means_something)
    try:
        app()
    except BootstrapError as error:
        print(f"vaxledger: {error}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    except (LedgerError, psycopg.OperationalError, OSError) as error:
        print("vaxledger:", *str(error).split(), file=sys.stderr)
        sys.exit(USAGE_ERROR)


if __name__ == "__main__":
    main()
