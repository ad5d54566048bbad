"""When to remind someone of an appointment (A-4)."""

from datetime import date, timedelta


def reminder_day(on: date, days_before: int, today: date | None = None) -> date | None:
    """Return the day of the reminder, or None when it has gone by already.

    Args:
        on: Day of the appointment.
        days_before: How many days before it; 1 is the day before.
        today: The day on which it is asked, at booking or when a booking is moved.
    """
    day = on - timedelta(days=days_before)
    return None if today is not None and day < today else day
