"""The `vaxledger` command."""

import sys

from bootstrap.errors import BootstrapError
from cli.app import app

USAGE_ERROR = 2


def main() -> None:
    """Run the command; an installation that cannot start is one line and exit code 2."""
    try:
        app()
    except BootstrapError as error:
        print(f"vaxledger: {error}", file=sys.stderr)
        sys.exit(USAGE_ERROR)


if __name__ == "__main__":
    main()
