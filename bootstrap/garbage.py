"""The memory of a process that serves for long: its collector, and its heap."""

import ctypes
import gc

YOUNG_OBJECTS = 50_000
_M_ARENA_MAX = -8  # of malloc.h


def settle() -> None:
    """Leave what start-up made out of all collections, and collect less often.

    Modules, models and routes stay until the end, yet each full collection walks them all. With
    the interpreter's own threshold of 700 a sixth of a write's CPU went into collections.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


def share_heap() -> None:
    """Let all threads use one heap of the C library; call it before there are threads.

    glibc gives threads heaps of their own, and what they free stays in each: after 24,000 imported
    rows a server held 180 MiB instead of 155. The interpreter's lock lets one of them allocate at a
    time anyway. Other C libraries have no such heaps, and nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
