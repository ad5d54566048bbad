"""Vaccines, schedules and entry requirements as versioned data, and what is decided by them.

The data files under `data/` carry an id, a version, effective dates, their source document and
the sentences of their rules in zh-CN and English; they are validated whole when loaded.
"""
