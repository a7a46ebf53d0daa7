"""People at a server, as they ask it: many connections at once, each with a pause between two requests."""

from __future__ import annotations

import asyncio
import json
import random
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORDS = (
    "red apple", "city at night", "snowy mountains", "a doctor with a stethoscope", "sailing boat", "blue bicycle",
    "birthday cake", "castle gate", "autumn trees", "cup of coffee", "lavender field", "chess king", "old telephone",
    "green bottle", "rocket", "cathedral", "storm at sea", "perfume", "wooden jetty", "stack of books", "moon over a lake",
)
LIGHTS = ("in warm light", "from above", "at dusk", "very close", "in the fog", "on white", "from a low angle")


@dataclass
class Measured:
    """Latencies in seconds by kind of request, and what went wrong."""

    took: dict[str, list[float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def of(self, kind: str | None = None) -> list[float]:
        """Sorted, of one kind or of all."""
        return sorted(one for name, took in self.took.items() if kind in (None, name) for one in took)

    def percentile(self, share: float, kind: str | None = None) -> float:
        """In milliseconds."""
        took = self.of(kind)
        return took[min(len(took) - 1, int(len(took) * share))] * 1000 if took else 0.0


class Connection:
    """One connection that is kept, as a browser keeps it."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self.host, self.port, self.token = host, port, token
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        assert self.reader is not None
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        head = [f"{method} /api/v1{path} HTTP/1.1", f"Host: {self.host}:{self.port}",
                f"Authorization: Bearer {self.token}", f"Content-Length: {len(content)}"]
        head += [f"Content-Type: {kind}"] if content else []
        head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*head, "", ""]).encode() + content)
        await self.writer.drain()
        status = int((await self.reader.readline()).split()[1])
        length = 0
        while line := (await self.reader.readline()).strip():
            name, _, value = line.decode().partition(":")
            length = int(value) if name.lower() == "content-length" else length
        return status, await self.reader.readexactly(length)

    def close(self) -> None:
        """Ends it."""
        if self.writer is not None:
            self.writer.close()


class People:
    """Everybody at one server."""

    def __init__(self, url: str, token: str, seed: int) -> None:
        parts = urllib.parse.urlsplit(url)
        assert parts.hostname and parts.port
        self.at = (parts.hostname, parts.port)
        self.token, self.chance = token, random.Random(seed)
        self.measured, self.events = Measured(), Measured()

    def connection(self) -> Connection:
        """A connection of its own."""
        return Connection(*self.at, self.token)

    async def crowd(self, count: int, seconds: float, pause: tuple[float, float]) -> None:
        """So many people for so long, each waiting that long between an answer and the next request."""
        until = time.monotonic() + seconds
        await asyncio.gather(*(self.person(until, pause) for _ in range(count)))

    async def person(self, until: float, pause: tuple[float, float]) -> None:
        """Searches as they type, looks through what was made, previews."""
        connection, chance = self.connection(), random.Random(self.chance.random())
        await asyncio.sleep(chance.uniform(0, pause[1]))
        while time.monotonic() < until:
            kind, method, path, body = asked(chance)
            began = time.monotonic()
            try:
                status, answer = await connection.ask(method, path, body)
            except (OSError, asyncio.IncompleteReadError, IndexError, ValueError) as error:
                self.measured.faults.append(f"{kind}: {error!r}")
                connection = self.connection()
                continue
            self.measured.took.setdefault(kind, []).append(time.monotonic() - began)
            if status != 200:
                self.measured.faults.append(f"{kind}: {status} {answer[:200]!r}")
            await asyncio.sleep(chance.uniform(*pause))
        connection.close()

    async def events_of(self, image: str, seconds: float) -> None:
        """Notes something on an image again and again, and waits each time until the event tells it."""
        told: asyncio.Queue[tuple[str, float]] = asyncio.Queue()
        listening = asyncio.create_task(self.listen(image, told))
        connection, until, number = self.connection(), time.monotonic() + seconds, 0
        await asyncio.sleep(1)
        while time.monotonic() < until:
            number += 1
            note = f"note {number}"
            status, answer = await connection.ask("PATCH", f"/images/{image}", {"note": note})
            answered = time.monotonic()
            if status != 200:
                self.events.faults.append(f"note: {status} {answer[:200]!r}")
                continue
            try:
                while True:
                    seen, at = await asyncio.wait_for(told.get(), 5)
                    if seen == note:
                        self.events.took.setdefault("event", []).append(max(0.0, at - answered))
                        break
            except TimeoutError:
                self.events.faults.append("an event did not come within 5 s")
            await asyncio.sleep(0.3)
        listening.cancel()
        connection.close()

    async def listen(self, image: str, told: asyncio.Queue[tuple[str, float]]) -> None:
        """Reads the stream of events, and tells of each note on this image when it came."""
        reader, writer = await asyncio.open_connection(*self.at)
        writer.write(
            f"GET /api/v1/events HTTP/1.1\r\nHost: {self.at[0]}:{self.at[1]}\r\n"
            f"Authorization: Bearer {self.token}\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        while line := await reader.readline():
            if line.startswith(b"data: ") and image.encode() in line:
                row = json.loads(line[6:])
                if row.get("id") == image and row.get("image"):
                    await told.put((row["image"].get("note") or "", time.monotonic()))

    async def once(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request that has to go well."""
        connection = self.connection()
        status, answer = await connection.ask(method, path, body, **headers)
        connection.close()
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
        return json.loads(answer) if answer else None

    async def upload(self, pictures: list[Path], pause: float) -> int:
        """Sends pictures into the library one after the other; how many are there."""
        connection, sent = self.connection(), 0
        for picture in pictures:
            name = urllib.parse.quote(picture.name)
            status, answer = await connection.ask("POST", f"/library/images?name={name}", picture.read_bytes())
            if status >= 300:
                self.measured.faults.append(f"upload: {status} {answer[:200]!r}")
            else:
                sent += 1
            await asyncio.sleep(pause)
        connection.close()
        return sent


def asked(chance: random.Random) -> tuple[str, str, str, Any]:
    """What somebody asks next."""
    what = chance.random()
    words = f"{chance.choice(WORDS)} {chance.choice(LIGHTS)}"
    words = words[: chance.randint(3, len(words))]
    if what < 0.5:
        return "search", "GET", f"/search?q={urllib.parse.quote(words)}&limit=50", None
    if what < 0.75:
        return "history", "GET", "/images?limit=50", None
    sides = [{"model": "sandbox:gemini-3.1-flash-image"}, {"model": "sandbox:gemini-3-pro-image"}]
    return "preview", "POST", "/generations/preview", {"prompt": words, "count": 4, "sides": sides}
