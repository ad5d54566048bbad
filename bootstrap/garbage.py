"""The garbage collector of a process that has started and now only serves."""

import gc

YOUNG_OBJECTS = 50_000


def settle() -> None:
    """Leave what start-up made out of all collections, and collect less often.

    Modules, models and routes stay until the end, yet each full collection walks them all. With
    the interpreter's own threshold of 700 a sixth of a write's CPU went into collections.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
