"""The garbage collector, kept from looking at batches again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS_BEFORE_LOOKING = 200_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the collector look seldom: batches hold many objects and no cycles.

    Each look would visit every entry of the batch; that costs a third of the throughput.
    """
    usual = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BEFORE_LOOKING, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
