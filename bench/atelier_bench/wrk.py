"""wrk, which posts the very requests that the engine sends: what the server and the machine allow."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from .bench import Bench
from .engine import tail
from .prompts import prompt, write_prompts
from .recorder import Recorder
from .result import Broken, Skipped
from .sandbox import Sandbox

SCRIPT = Path(__file__).with_name("replay.lua")
# What was fastest of 1 or 2 threads and 16 to 256 connections, on two cores that the server shares.
THREADS, CONNECTIONS = 2, 64


def ensure() -> None:
    """Sees to it that wrk is there: root installs it on Debian. Raises Skipped where it can't be had."""
    if shutil.which("wrk"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "wrk"]):
            subprocess.run(command, capture_output=True, check=False)
    if not shutil.which("wrk"):
        raise Skipped("wrk is missing (Debian: apt-get install wrk), and there is nothing to compare with")


def captured(bench: Bench, sandbox: Sandbox) -> tuple[bytes, bytes]:
    """Head and body of the request that the engine sends for the first prompt of `write_prompts`."""
    folder = bench.folder("capture")
    with Recorder(sandbox.url) as recorder:
        prompts = write_prompts(folder / "in.jsonl", "capture", 1)
        with bench.engine(folder, recorder).answer(prompts, folder / "out.jsonl") as run:
            run.wait(60).expect()
        calls = recorder.calls()
    if not calls:
        raise Broken("the engine's request could not be read")
    return calls[0].head, calls[0].body


def write_requests(path: Path, head: bytes, body: bytes, sandbox: Sandbox, name: str, items: int) -> None:
    """Writes the requests of `items` prompts as they go over the wire, each with its length before it."""
    asked = prompt("capture", 0).encode()
    if asked not in body:
        raise Broken("the engine's request does not hold its prompt as it stands")
    head = re.sub(rb"(?i)(\r\nhost: )[^\r]*", rb"\g<1>" + sandbox.url.removeprefix("http://").encode(), head)
    with path.open("wb") as file:
        for number in range(items):
            own = body.replace(asked, prompt(name, number).encode())
            request = re.sub(rb"(?i)(\r\ncontent-length: )\d+", rb"\g<1>%d" % len(own), head) + own
            file.write(b"%d\n" % len(request) + request)


def rate(requests: Path, sandbox: Sandbox, seconds: int) -> float:
    """Answers a second that wrk gets. Raises Broken where some were not good."""
    command = ["wrk", f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(SCRIPT), sandbox.url]
    ran = subprocess.run([*command, "--", str(requests)], capture_output=True, text=True, check=False)
    found = re.search(r"Requests/sec:\s*([\d.]+)", ran.stdout)
    if ran.returncode or not found or "Non-2xx" in ran.stdout or "Socket errors" in ran.stdout:
        raise Broken(f"wrk: {tail(ran.stdout + ran.stderr)}")
    return float(found[1])
