"""CRC32C, the Castagnoli checksum (RFC 3720 appendix B.4), for PROXY protocol headers.

In Python, since the standard library has only the other CRC-32: 4 us for 50 bytes.
"""

from __future__ import annotations

from functools import cache
from typing import Final

_POLYNOMIAL: Final = 0x82F63B78  # 0x1EDC6F41 with its bits reversed


@cache
def _table() -> tuple[int, ...]:
    """Build the checksums of all single bytes, when the first header with a checksum comes."""
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


def crc32c(data: bytes) -> int:
    """Compute the checksum, a number of 32 bits."""
    table = _table()
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF
