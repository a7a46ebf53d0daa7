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
from dataclasses import dataclass
from types import TracebackType

from .prompts import item_in

LARGEST_HEAD = 1 << 20


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
    """Listens on a free port and passes on to `url`. Use it in a `with`."""

    def __init__(self, url: str) -> None:
        split = urllib.parse.urlsplit(url)
        self._to = (split.hostname or "127.0.0.1", split.port or 80)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self.exchanges: list[Exchange] = []
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
