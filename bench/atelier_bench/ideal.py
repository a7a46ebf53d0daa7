"""How long a limit alone takes, and how long the calls took: the two sides of every ratio."""

from __future__ import annotations

from collections.abc import Iterable


def windowed(items: int, amount: int, window: float, latency: float) -> float:
    """The least time for `items` calls where a sliding window of `window` seconds lets `amount` in.

    The first `amount` leave at once, as many again with each window that follows, and the last is answered
    `latency` after it left.
    """
    return (items - 1) // amount * window + latency


def paced(items: int, amount: int, window: float, latency: float) -> float:
    """The same where the calls of a window must keep an even distance."""
    return (items - 1) * window / amount + latency


def packed(items: int, amount: int, window: float, latency: float, per_item: float, most: int = 32) -> float:
    """The least time for `items` that calls may share, up to `most` in each: that of the best size of equal calls.

    A call takes `latency`, and `per_item` for each that it carries.
    """
    sizes = range(1, min(most, items) + 1)
    return min(windowed(-(-items // size), amount, window, latency + per_item * size) for size in sizes)


def share(items: int, amount: int, window: float, latency: float, users: int) -> float:
    """The time for `items` at a fair share of the limit among `users`, from a window that is used up already."""
    return -(-items * users // amount) * window + latency


def span(arrivals: Iterable[float], latency: float) -> float:
    """From the first call's arrival to the last one's answer, where each takes `latency`."""
    arrivals = list(arrivals)
    return max(arrivals) - min(arrivals) + latency


def most_in_a_window(arrivals: Iterable[float], window: float) -> int:
    """The most arrivals in any sliding window: what the limit saw at its fullest."""
    times = sorted(arrivals)
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - window:
            first += 1
        most = max(most, last - first + 1)
    return most
