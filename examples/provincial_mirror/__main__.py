"""The mirror's two commands: `run ACCESS DATABASE` and `serve DATABASE PORT`."""

import sys
from pathlib import Path

from client.access import Access
from client.errors import ClientError
from examples.provincial_mirror.mirror import run
from examples.provincial_mirror.page import serve

try:
    match sys.argv[1:]:
        case ["run", access, database]:
            run(Access.load(Path(access)), Path(database))
        case ["serve", database, port] if port.isdecimal():
            serve(Path(database), int(port))
        case _:
            sys.exit("usage: run ACCESS DATABASE | serve DATABASE PORT")
except KeyboardInterrupt:
    pass
except (ClientError, OSError) as error:
    sys.exit(f"mirror: {error}")
