"""Every duration of the framework, in seconds, as one frozen object: rooms use the defaults, tests short ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Durations in seconds. Idle, an unplugged device is noticed within `keepalive + patience` (7.4 s)."""

    connect: float = 5.0  # from dialling, or from the last sign of life while dialling, to the next one
    dial: float = 30.0  # from dialling to being online, however much a device says meanwhile
    command: float = 3.0  # from being asked to the answer, waiting in the queue included
    poll: float = 15.0  # a whole poll, however many of its questions were asked again
    reply: float = 0.8  # one try of one exchange; the device is asked again after it
    attempts: int = 3  # tries of one exchange; what is asked once is waited for as long as all of them
    busy: float = 0.2  # before asking again a device that has no room for a command now
    keepalive: float = 5.0  # cheap question when nobody watches
    watched: float = 3.0  # whole poll while somebody watches
    idle: float = 45.0  # whole poll while nobody does
    changing: float = 2.0  # whole poll while the device changes slowly (warm-up)
    follow: float = 12.0  # until a device shows what it took: televisions say "standby" for ten seconds after a wake-up
    nudge: float = 0.5  # before a device that fell is dialled again, however soon somebody asks for it
    news: float = 3.0  # between two whole polls, or two dials, that news ask for: projectors lock out who asks often
    backoff_first: float = 1.0  # ceiling of the first wait before dialling again; doubles each time
    backoff_last: float = 30.0  # highest ceiling
    backoff_away: float = 120.0  # and of a device that failed so often in a row that it may stay away:
    away_after: int = 40  # failures, a quarter of an hour; after a refused password, too, `backoff_away` is the longest
    backoff_watched: float = 5.0  # highest ceiling while somebody watches
    together: float = 1.0  # long waits before dialling end at multiples of this on the loop's clock
    stable: float = 10.0  # a connection that held so long forgets its earlier failures
    lease: float = 0.5  # a move ends by itself after this, unless renewed
    last_stop: float = 0.5  # for the stop sent to a moving camera when the program ends

    @property
    def patience(self) -> float:
        """With one exchange, however often the device is asked: slow devices take two seconds (PJLink 5.01, 5.1)."""
        return self.attempts * self.reply

    @classmethod
    def retrying(cls, longest: float | None) -> Timing:
        """As usual, but a lost device is dialled again after `longest` seconds at most, however long it was away."""
        return cls() if longest is None else cls(backoff_last=longest, backoff_away=longest)
