r"""Domain names as lower-case wire bytes: `b"\x03www\x07example\x00"` is `www.example.`.

One form for look-ups, comparisons and packing: the bytes of RFC 1035 section 3.1 without
compression, letters folded to lower case (RFC 4343). Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Iterator

Name = bytes
"""A whole, absolute, uncompressed name in lower-case wire form; ends with the root's zero byte."""

ROOT: Name = b"\0"
STAR = b"\x01*"
"""The label of a wildcard (RFC 4592 section 2.1.1)."""
MAX_NAME = 255
"""RFC 1035 section 2.3.4, length bytes and root included."""
MAX_LABEL = 63
_PLAIN = frozenset(range(0x21, 0x7F)) - frozenset(b'.\\"();@$')


class BadNameError(ValueError):
    """A text that is no domain name; the message says why."""


def from_text(text: str, origin: Name = ROOT) -> Name:
    """Read a presentation name (RFC 1035 section 5.1); one without a final dot is below `origin`.

    Raises BadNameError for empty or long labels, long names and broken escapes.
    """
    if text == ".":
        return ROOT
    if text == "@" or not text:
        return origin
    labels = split(text)
    absolute = labels[-1] == b""
    wire = b"".join(_label(label, text) for label in (labels[:-1] if absolute else labels))
    name = (wire + (ROOT if absolute else origin)).lower()
    if len(name) > MAX_NAME:
        raise BadNameError(f"{text!r} is longer than {MAX_NAME} bytes")
    return name


def absolute(text: str) -> Name:
    """Read a presentation name as absolute, final dot or not: as Kubernetes objects write them."""
    return from_text(text.rstrip(".") + ".")


def _label(label: bytes, text: str) -> bytes:
    if not label:
        raise BadNameError(f"{text!r} has an empty label")
    if len(label) > MAX_LABEL:
        raise BadNameError(f"{text!r} has a label longer than {MAX_LABEL} bytes")
    return bytes((len(label),)) + label


def split(text: str) -> list[bytes]:
    r"""Split a presentation name at its dots, resolving `\.` and `\DDD`."""
    if not text.isascii():
        raise BadNameError(f"{text!r} is not ASCII: write it in its xn-- form")
    if "\\" not in text:
        return text.encode("ascii").split(b".")
    labels = [bytearray()]
    at = 0
    while at < len(text):
        char = text[at]
        if char == ".":
            labels.append(bytearray())
        elif char == "\\":
            at = _unescape(text, at, labels[-1])
        else:
            labels[-1] += char.encode("ascii")
        at += 1
    return [bytes(label) for label in labels]


def _unescape(text: str, at: int, label: bytearray) -> int:
    digits = text[at + 1 : at + 4]
    if digits.isdigit() and len(digits) == 3 and int(digits) < 256:
        label.append(int(digits))
        return at + 3
    if len(digits) < 1 or digits[0].isdigit():
        raise BadNameError(f"{text!r} has a broken escape")
    label += digits[0].encode("ascii")
    return at + 1


def to_text(name: Name) -> str:
    """Give the presentation form with its final dot; odd bytes are escaped."""
    if name == ROOT:
        return "."
    return "".join(_label_text(label) + "." for label in labels(name))


def _label_text(label: bytes) -> str:
    if all(byte in _PLAIN for byte in label):
        return label.decode("ascii")
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:03d}" for byte in label)


def labels(name: Name) -> Iterator[bytes]:
    """Yield the labels, leftmost first, without the root."""
    at = 0
    while name[at]:
        yield name[at + 1 : at + 1 + name[at]]
        at += 1 + name[at]


def from_labels(parts: list[bytes], parent: Name = ROOT) -> Name:
    """Put labels in front of `parent`; the caller knows that they are valid."""
    return b"".join(bytes((len(part),)) + part for part in parts).lower() + parent


def parent(name: Name) -> Name:
    """Give the name without its leftmost label. The root has no parent: IndexError upstream."""
    return name[1 + name[0] :]


def ancestors(name: Name) -> Iterator[Name]:
    """Yield the parent, its parent, and so on to the root."""
    while name != ROOT:
        name = name[1 + name[0] :]
        yield name


def is_within(name: Name, ancestor: Name) -> bool:
    """Tell whether `name` is `ancestor` or below it, by labels."""
    if not name.endswith(ancestor):
        return False
    cut = len(name) - len(ancestor)
    at = 0
    while at < cut:
        at += 1 + name[at]
    return at == cut


def is_wildcard(name: Name) -> bool:
    """Tell whether the leftmost label is exactly `*`."""
    return name.startswith(STAR)
