"""Dates as HAProxy writes them: `22/Nov/2026:01:44:28.478`. Pure but for the local time zone."""

from __future__ import annotations

import time
from functools import lru_cache

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def milliseconds(at: float) -> str:
    """Give the milliseconds of a time in seconds since 1970, three digits."""
    return f"{int(at * 1000) % 1000:03d}"


def local(at: float) -> str:
    """Give local date and time with milliseconds."""
    return f"{_local(int(at))}.{milliseconds(at)}"


@lru_cache(8)
def _local(second: int) -> str:
    return _date(time.localtime(second))


@lru_cache(8)
def local_zoned(second: int) -> str:
    """Give local date and time with the zone: `22/Nov/2026:01:45:40 +0000`."""
    parts = time.localtime(second)
    return f"{_date(parts)} {time.strftime('%z', parts)}"


@lru_cache(8)
def gmt(second: int) -> str:
    """Give date and time in GMT."""
    return f"{_date(time.gmtime(second))} +0000"


@lru_cache(8)
def syslog(second: int) -> str:
    """Give what an RFC 3164 line begins with: `Nov  2 01:44:28`, local time."""
    parts = time.localtime(second)
    clock = f"{parts.tm_hour:02d}:{parts.tm_min:02d}:{parts.tm_sec:02d}"
    return f"{_MONTHS[parts.tm_mon - 1]} {parts.tm_mday:2d} {clock}"


def _date(parts: time.struct_time) -> str:
    day = f"{parts.tm_mday:02d}/{_MONTHS[parts.tm_mon - 1]}/{parts.tm_year:04d}"
    return f"{day}:{parts.tm_hour:02d}:{parts.tm_min:02d}:{parts.tm_sec:02d}"
