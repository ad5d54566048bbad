"""How forms write days and headings."""

from datetime import date


def chinese_day(day: date | None) -> str:
    """Write a civil day as forms do: 2018年9月30日; nothing where there is none."""
    return f"{day.year}年{day.month}月{day.day}日" if day else ""
