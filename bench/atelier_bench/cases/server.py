"""The server, as a team uses it: many people at once, while it makes, imports and answers prompts."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import struct
import subprocess
import time
import zlib
from pathlib import Path

from ..bench import ROOT, Bench, Case
from ..clients import People
from ..engine import KEY, MODEL
from ..prompts import write_prompts
from ..result import Broken, Figure, Result, Row

PEOPLE = 200
# Between an answer and what they ask next, in seconds: somebody who types, looks and types again.
PAUSE = (1.0, 5.0)
SECONDS = 45
PROMPTS = 10_000
PICTURES = 60
KINDS = ("search", "history", "preview")


def crowded(bench: Bench) -> Result:
    """200 people search, look through what was made, and preview; two sides are made, pictures come in, prompts run."""
    folder, result, seed = bench.folder("crowded"), Result(), int(time.time())
    result.notes.append(f"seed {seed}")
    # So that the prompts last as long as the people stay.
    limit = f"requests={PROMPTS // bench.size(SECONDS, 10)}/1s"
    config = folder / "atelier.toml"
    config.write_text(f'[[pools]]\nmodel = "{MODEL}"\nlimits = ["{limit}"]\n')
    data = folder / "data"
    run(bench, data, "library", "samples")
    token = json.loads(run(bench, data, "tokens", "add", "bench", "--json"))["token"]
    with bench.sandbox(folder, "--quota", limit, "--latency", "300ms") as sandbox:
        environment = {**os.environ, "GOOGLE_GEMINI_BASE_URL": sandbox.url, "GEMINI_API_KEY": KEY}
        port_file = folder / "port"
        command = [bench.binary, "serve", "--no-samples", "--addr", "127.0.0.1:0", "--data-dir", data,
                   "--port-file", port_file, "--config", config]
        with (folder / "serve.log").open("wb") as log:
            server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            url = listening(port_file, server)
            people = People(url, token, seed)
            asyncio.run(day(bench, folder, people, seed))
            peak = peak_mb(server.pid)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
    told(result, people, peak)
    return result


async def day(bench: Bench, folder: Path, people: People, seed: int) -> None:
    """Everything at once."""
    seconds = bench.size(SECONDS, 10)
    sides = [{"model": "sandbox:gemini-3.1-flash-image"}, {"model": "sandbox:gemini-3-pro-image"}]
    request = {"request": {"prompt": "a lighthouse at dusk", "count": 4, "sides": sides}}
    made = await people.once("POST", "/generations", request, Idempotency_Key="first")
    prompts = write_prompts(folder / "in.jsonl", "crowded", bench.size(PROMPTS, 2000)).read_bytes()
    uploaded = await people.once("POST", "/prompts?name=in.jsonl", prompts)
    wanted = {"model": MODEL, "ordered": False}
    job = await people.once("POST", f"/prompts/{uploaded['id']}/run", wanted, Idempotency_Key="prompts")
    pictures = [picture(folder / f"{n:03}.png", seed + n) for n in range(bench.size(PICTURES, 10))]

    async def making() -> None:
        until, number = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            number += 1
            await people.once("POST", "/generations", request, Idempotency_Key=f"more-{number}")
            await asyncio.sleep(4)

    _, _, _, sent = await asyncio.gather(
        people.crowd(bench.size(PEOPLE, 20), seconds, PAUSE),
        people.events_of(made["images"][0]["id"], seconds - 2),
        making(),
        people.upload(pictures, seconds / len(pictures) / 2),
    )
    if sent != len(pictures):
        raise Broken(f"{sent} of {len(pictures)} pictures came in: {people.measured.faults[:3]}")
    until = time.monotonic() + 120
    while (await people.once("GET", f"/jobs/{job['job']}"))["pending"] > 0:
        if time.monotonic() > until:
            raise Broken("the prompts were not answered")
        await asyncio.sleep(0.5)


def told(result: Result, people: People, peak: float) -> None:
    """The figures of it."""
    measured, events = people.measured, people.events
    for kind in KINDS:
        result.rows.append(Row(kind, {
            "requests": len(measured.of(kind)), "median, ms": measured.percentile(0.5, kind),
            "p95, ms": measured.percentile(0.95, kind), "p99, ms": measured.percentile(0.99, kind),
        }))
    faults = measured.faults + events.faults
    result.notes += faults[:5]
    result.figures = [
        Figure("errors", len(faults), 0),
        Figure("p99 of all requests", measured.percentile(0.99), 250, unit="ms"),
        Figure("p99 of events, after the answer to what they tell of", events.percentile(0.99), 200, unit="ms"),
        Figure("peak memory", peak, 400, unit="MB"),
    ]


def run(bench: Bench, data: Path, *command: str) -> str:
    """A command of the command line that has to go well."""
    done = subprocess.run([bench.binary, *command, "--data-dir", data], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"{command}: {done.stderr[-400:]}")
    return done.stdout


def listening(port_file: Path, server: subprocess.Popen[bytes]) -> str:
    """The server's address, once it can be asked."""
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        if port_file.is_file() and (text := port_file.read_text().strip()):
            return text if text.startswith("http") else f"http://{text}"
        time.sleep(0.05)
    raise Broken("the server did not start")


def peak_mb(pid: int) -> float:
    """The most memory that a process has had, in megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise Broken("the server is gone")


def picture(path: Path, seed: int) -> Path:
    """A picture like no other: coarse random colours, in PNG."""
    chance, side, cell = random.Random(seed), 512, 64
    colours = [[bytes(chance.randrange(256) for _ in range(3)) for _ in range(side // cell)] for _ in range(side // cell)]
    rows = b"".join(b"\0" + b"".join(colour * cell for colour in colours[y // cell]) for y in range(side))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(png)
    return path


CASES = (
    Case("server", f"{PEOPLE} people at one server while it makes, imports and answers {PROMPTS:,} prompts", crowded, False),
)
