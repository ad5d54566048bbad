"""The installation's own witness."""

from workers.own_witness import serve_own as run

__all__ = ["run"]
