"""Another server's answer as a client of ours gets it. Pure."""

from __future__ import annotations

from podway_dns import sections
from podway_dns.packing import EDNS_SIZE
from podway_dns.query import Query
from podway_dns.sections import Message


def fitted(message: Message, query: Query, room: int) -> bytes:
    """Give an answer as this client gets it: its id and question, RA, an OPT if it sent one."""
    data = message.data
    opt = b""
    if query.edns is not None:
        opt = b"\0\0\x29" + EDNS_SIZE.to_bytes(2, "big") + b"\0\0"
        opt += bytes((query.edns.do << 7, 0, 0, 0))
    if len(data) + len(opt) > room:
        data = sections.bare(message)
    flags = bytes(((data[2] & 0xFA) | query.rd, data[3] | 0x80))  # AA is clear: not ours
    count = int.from_bytes(data[10:12], "big") + bool(opt)
    head = query.message[:2] + flags + data[4:10] + count.to_bytes(2, "big")
    return head + query.question + data[message.question_end :] + opt
