"""A life-like province that nobody lives in: children, doses, moves, mistakes and schools.

Everything follows from a seed and a child's number, so any part can be made again alone, on any
machine and in any order. Nothing here does I/O, reads a clock or draws at random.
"""
