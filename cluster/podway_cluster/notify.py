"""The kernel's file events, by way of watchfiles' Rust part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

_POLL_DELAY_MS = 300
"""For file systems on which watchfiles itself has to poll."""


def open_notify(paths: Sequence[str]) -> RustNotify:
    """Set watches on directories and all below; OSError where there are none to be had."""
    from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError  # late: 50 ms

    debug, force_polling, recursive, ignore_permission_denied = False, False, True, True
    try:
        return RustNotify(
            list(paths), debug, force_polling, _POLL_DELAY_MS, recursive, ignore_permission_denied
        )
    except WatchfilesRustInternalError as error:
        raise OSError(str(error)) from error
