"""The TXT file (`--txt-file`): one record a line, for ACME dns-01 hooks.

    # name                                    value
    _acme-challenge.shop.apps.lab.example.test  gfj9Xq...Rg85nM

A hook appends a line and removes it afterwards; several lines for one name make one RRset.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from podway_cluster.problem import Problem
from podway_dns import names
from podway_dns.names import Name
from podway_dns.records import txt_rdata

TTL = 5
"""Seconds: a challenge lives for one validation."""
MAX_BYTES = 1 << 20


class Texts(NamedTuple):
    """What the file holds."""

    records: tuple[tuple[Name, bytes], ...] = ()
    problems: tuple[Problem, ...] = ()


def load(path: Path) -> Texts:
    """Read the file; one that is not there yet is empty."""
    try:
        return parse(path.read_bytes()[:MAX_BYTES].decode("utf-8", "replace"), str(path))
    except FileNotFoundError:
        return Texts()
    except OSError as error:
        return Texts((), (Problem(str(path), 1, "", "", "", "", f"can't be read: {error}"),))


def parse(text: str, file: str) -> Texts:
    """Read the lines; a line that can't be read is a problem and the others count."""
    records: list[tuple[Name, bytes]] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        try:
            records.append((names.absolute(words[0]), txt_rdata(_value(words).encode())))
        except ValueError as error:
            problems.append(Problem(file, number, "", "", "", "", str(error)))
    return Texts(tuple(records), tuple(problems))


def _value(words: list[str]) -> str:
    if len(words) < 2:
        raise ValueError(f"{words[0]}: expected a name and its text")
    text = words[1].strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
