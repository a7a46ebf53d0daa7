"""A recorder between a client and a sandbox: who asked for what, and when.

It passes every exchange on byte for byte. The sandbox counts calls; this tells them apart by item, for the
cases that ask which call went first or twice. It costs a fraction of a millisecond a call, so it stands in
no case that measures speed.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType

from .prompts import item_in
from .result import Broken

LARGEST_HEAD = 1 << 20
LET_IN = 200
# How often a recorder that watches itself looks at the clock.
LOOKS_EVERY = 0.005


@dataclass
class Exchange:
    """One call. Times are in seconds on the monotonic clock."""

    # The id of the prompt, where the request holds one of ours.
    item: str | None
    # The request as it came, its body apart.
    head: bytes
    body: bytes
    arrived: float
    answered: float | None = None
    status: int | None = None


class Recorder:
    """Listens on a free port and passes on to `url`. Use it in a `with`.

    Where it is given a `delay`, it holds back each answer for so many seconds, but no refusal.
    """

    def __init__(self, url: str, delay: Callable[[], float] | None = None) -> None:
        split = urllib.parse.urlsplit(url)
        self._to = (split.hostname or "127.0.0.1", split.port or 80)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._delay = delay
        self.exchanges: list[Exchange] = []
        # When it looked at the clock, and by how many seconds it was late, where it watches itself.
        self.late: list[tuple[float, float]] = []
        self.url = ""

    def __enter__(self) -> Recorder:
        self._thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LARGEST_HEAD, backlog=1024)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def watch_itself(self) -> None:
        """From now on it keeps how late it is: by so much, too, a call seems to arrive later than it does."""
        asyncio.run_coroutine_threadsafe(self._look(), self._loop)

    async def _look(self) -> None:
        while True:
            due = time.monotonic() + LOOKS_EVERY
            await asyncio.sleep(LOOKS_EVERY)
            self.late.append((due, time.monotonic() - due))

    def calls(self) -> list[Exchange]:
        """The exchanges so far that ask one of our prompts, in the order of their arrival."""
        return [exchange for exchange in list(self.exchanges) if exchange.item is not None]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the client's, with one of its own to the sandbox."""
        try:
            to_reader, to_writer = await asyncio.open_connection(*self._to, limit=LARGEST_HEAD)
        except OSError:
            writer.close()
            return
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(length(head))
                exchange = Exchange(item_in(body), head, body, time.monotonic())
                self.exchanges.append(exchange)
                to_writer.write(head + body)
                answer = await to_reader.readuntil(b"\r\n\r\n")
                exchange.status = int(answer.split(b" ", 2)[1])
                if not head.startswith(b"HEAD "):
                    answer += await to_reader.readexactly(length(answer))
                if self._delay is not None and exchange.status == LET_IN:
                    await asyncio.sleep(self._delay())
                writer.write(answer)
                await writer.drain()
                exchange.answered = time.monotonic()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass  # One of the two went, or this is to stop: so does the other.
        finally:
            writer.close()
            to_writer.close()


def length(head: bytes) -> int:
    """The bytes of body that a head announces."""
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return int(found[1]) if found else 0


def let_in(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """Those of some exchanges that ask something and were answered, in the order of their arrival."""
    asked = [exchange for exchange in exchanges if exchange.body and exchange.status == LET_IN]
    return sorted(asked, key=lambda exchange: exchange.arrived)


def span(exchanges: Iterable[Exchange]) -> float:
    """From the first arrival to the last answer. Raises Broken where there is none, or an answer did not go out."""
    exchanges = list(exchanges)
    answers = [exchange.answered for exchange in exchanges if exchange.answered is not None]
    if not answers or len(answers) < len(exchanges):
        raise Broken(f"of {len(exchanges)} calls that were let in, {len(answers)} were answered")
    return max(answers) - min(exchange.arrived for exchange in exchanges)
