"""Who may book which dose on which day, and what a booking goes through at the site.

Pure policies over typed values, read from a booking rule file (`domain/schedules/data/`). Each
returns objections, the reasons against, under the number of the rule; `decision` puts them in
order. The evaluator and the write path ask the same functions.
"""
