"""Bringing the history of another system into the log: read, review, apply.

A file is planned row by row into verdicts that a person reviews; what was reviewed is then written,
signed by the clinic in batches. A row is known for ever by its id in the source system: uploaded
again it is the same, or a change to propose, and never a second dose.
"""
