"""Dates and times in cells: which form they have, and the numbers that they become."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Literal

#: Which number of a date comes first.
Order = Literal["year", "day", "month"]
Part = Literal["year", "month", "day", "weekday", "hour"]
PARTS: tuple[Part, ...] = ("year", "month", "day", "weekday", "hour")

_TIME = r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + _TIME, re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})" + _TIME, re.ASCII)
_HOURS, _MINUTES = 24, 60


def order_of(cells: Iterable[str]) -> tuple[Order, bool] | None:
    """Return which number comes first in every one of the cells, and whether they tell; None where one is no date.

    1.2.2024 is the first of February; of 1/2/2024 and 1-2-2024 a number above 12 in some cell tells what is the day,
    and without one the month comes first.
    """
    forms = [(_YEAR_FIRST.fullmatch(cell), _YEAR_LAST.fullmatch(cell), cell) for cell in cells]
    if forms and all(first for first, _, _ in forms):
        order: Order = "year"
        told = True
    elif forms and all(last for _, last, _ in forms):
        lasts = [last for _, last, _ in forms if last]
        points = any(last[2] == "." for last in lasts)
        day, month = (any(int(last[place]) > 12 for last in lasts) for place in (1, 3))
        order, told = ("day" if day or (points and not month) else "month"), day or month or points
    else:
        return None
    return (order, told) if all(parts_of(cell, order) for _, _, cell in forms) else None


def parts_of(cell: str, order: Order) -> tuple[int, int, int, int, int | None] | None:
    """Return year, month, day, weekday (Monday is 0) and hour, if any, of a date; None where it is none.

    The hour is the one that is written, whatever its time zone.
    """
    match = (_YEAR_FIRST if order == "year" else _YEAR_LAST).fullmatch(cell)
    if match is None:
        return None
    one, two, three = int(match[1]), int(match[3]), int(match[4])
    year, month, day = {"year": (one, two, three), "day": (three, two, one), "month": (three, one, two)}[order]
    hour = None if match[5] is None else int(match[5])
    if hour is not None and (hour >= _HOURS or int(match[6]) >= _MINUTES):
        return None
    try:
        return year, month, day, date(year, month, day).weekday(), hour
    except ValueError:
        return None
