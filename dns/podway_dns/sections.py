"""The records of a message, found without reading what they hold. Pure.

What a forwarder needs of other people's answers: their TTLs, and the OPT record taken out.
"""

from __future__ import annotations

from typing import NamedTuple

from podway_dns.records import OPT, SOA

HEADER = 12


class MessageError(ValueError):
    """The bytes are no DNS message."""


class Record(NamedTuple):
    """Where a record stands in its message."""

    section: int
    """0 answer, 1 authority, 2 additional."""
    rtype: int
    start: int
    ttl_at: int
    end: int


class Message(NamedTuple):
    """A message with one question, and its records' places."""

    data: bytes
    question_end: int
    records: tuple[Record, ...]

    @property
    def rcode(self) -> int:
        """The header's response code."""
        return self.data[3] & 15

    @property
    def question(self) -> bytes:
        """The question section, in lower case as far as it is a name."""
        end = self.question_end
        return self.data[HEADER : end - 4].lower() + self.data[end - 4 : end]


def read(data: bytes) -> Message:
    """Find the records. Raises MessageError."""
    if len(data) < HEADER or _number(data, 4) != 1:
        raise MessageError("not one question")
    at = question_end = _after_name(data, HEADER) + 4
    records = []
    for section, offset in enumerate((6, 8, 10)):
        for _ in range(_number(data, offset)):
            fixed = _after_name(data, at)
            end = fixed + 10 + _number(data, fixed + 8)
            records.append(Record(section, _number(data, fixed), at, fixed + 4, end))
            at = end
    if at > len(data):
        raise MessageError("cut short")
    return Message(data, question_end, tuple(records))


def _number(data: bytes, at: int) -> int:
    if at + 2 > len(data):
        raise MessageError("cut short")
    return data[at] << 8 | data[at + 1]


def _after_name(data: bytes, at: int) -> int:
    while at < len(data):
        length = data[at]
        if length >= 0xC0:
            return at + 2
        at += 1 + length
        if not length:
            return at
        if length > 63:
            break
    raise MessageError("a name has no end")


def lifetime(message: Message, most: int) -> int:
    """Tell for how many seconds the answer may be kept (RFC 1035 7.4, RFC 2308 section 5).

    The lowest TTL of its records; of a negative one the SOA's MINIMUM counts, too; 0 for a
    negative answer without SOA, and for failures.
    """
    data = message.data
    ttls = [_ttl(data, one) for one in message.records if one.rtype != OPT]
    if message.rcode not in (0, 3) or not ttls:
        return 0
    answered = message.rcode == 0 and any(one.section == 0 for one in message.records)
    soas = [one for one in message.records if one.section == 1 and one.rtype == SOA]
    if not answered and not soas:
        return 0
    ttls += [int.from_bytes(data[one.end - 4 : one.end], "big") for one in soas]
    return min(most, *ttls)


def _ttl(data: bytes, record: Record) -> int:
    return int.from_bytes(data[record.ttl_at : record.ttl_at + 4], "big") & 0x7FFFFFFF


def aged(message: Message, seconds: int) -> bytes:
    """Give the message with every TTL lowered (RFC 1035 section 3.2.1)."""
    data = bytearray(message.data)
    for one in message.records:
        if one.rtype != OPT:
            left = max(0, _ttl(message.data, one) - seconds)
            data[one.ttl_at : one.ttl_at + 4] = left.to_bytes(4, "big")
    return bytes(data)


def without_opt(message: Message) -> Message:
    """Take the OPT record out: it is between two hops only (RFC 6891 section 6.1.1)."""
    opts = [one for one in message.records if one.rtype == OPT]
    data = message.data
    for one in reversed(opts):
        data = data[: one.start] + data[one.end :]
    count = _number(data, 10) - len(opts)
    return read(data[:10] + count.to_bytes(2, "big") + data[HEADER:]) if opts else message


def bare(message: Message) -> bytes:
    """Give header and question only, truncated (TC)."""
    data = message.data
    head = data[:2] + bytes((data[2] | 2,)) + data[3:4] + b"\0\1" + bytes(6)
    return head + data[HEADER : message.question_end]
