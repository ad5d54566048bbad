"""Read models: what the entries say, arranged for reading.

Each module holds one projection: how its tables follow the log, and the queries that read them.
Nothing here is a source of truth: `loop` applies published entries in batches, rows and position
in one transaction, and `rebuilding` makes any projection anew beside the old one. A projection
keeps no state across streams, reads no clock and draws no random number, so that live and rebuilt
have the same digest. Personal values live in `people` alone, in the key database.
"""
