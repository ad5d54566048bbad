"""The log's store in PostgreSQL: appending, reading, integrating, and the keys of people.

The only part of the ledger that does input and output. Appends go through one ``Writer`` a
process; the head row's lock orders them over all processes. An ``Integrator`` turns committed
entries into tiles and signed checkpoints; a ``LogReader`` shows what those cover. All SQL stands
in the ``.sql`` files beside the modules and in the migrations.
"""
