"""From the check of a class to the totals of a province: registers, roll-ups, reports and rates.

Everything is counted from child-level facts (annex 3), added up level by level (annex 4) and
judged on exact fractions. Deadlines and targets are a rule file; the tables that projections keep
and the cases that rule authors write are answered by the same functions.
"""
