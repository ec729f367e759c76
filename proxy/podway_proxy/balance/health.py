"""Health as a count of results in a row: pure, so that timers and sockets live elsewhere."""

from __future__ import annotations


class Health:
    """Up or down, changing only after `fall` failures or `rise` successes in a row.

    ValueError: a count below 1.
    """

    __slots__ = ("_against", "_fall", "_rise", "up")

    def __init__(self, fall: int, rise: int, up: bool = True) -> None:
        if fall < 1 or rise < 1:
            raise ValueError(f"fall {fall} and rise {rise} must be at least 1")
        self._fall = fall
        self._rise = rise
        self._against = 0  # results in a row that contradict `up`
        self.up = up

    def seen(self, ok: bool) -> bool | None:
        """Take the result of a check; give the new state if it flips it, else None."""
        if ok == self.up:
            self._against = 0
            return None
        self._against += 1
        if self._against < (self._rise if ok else self._fall):
            return None
        self._against = 0
        self.up = ok
        return ok
