"""What every case gets: the binary, a place to work, sizes, and a way to say what happens."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .engine import Engine
from .recorder import Recorder
from .result import Result
from .sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Bench:
    """One run of the benchmark."""

    binary: Path
    # Where runs leave their files, on a disk: what is durable there is what is measured.
    work: Path
    # What is kept from one benchmark to the next.
    cache: Path
    quick: bool
    began: float = field(default_factory=time.monotonic)

    def size(self, full: int, quick: int) -> int:
        """A size, smaller where the run is to be quick."""
        return quick if self.quick else full

    def folder(self, name: str) -> Path:
        """An empty folder."""
        path = self.work / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def sandbox(self, folder: Path, *flags: str) -> Sandbox:
        """A sandbox, to be started by `with`."""
        return Sandbox(self.binary, folder, *flags)

    def engine(self, folder: Path, url: Sandbox | Recorder) -> Engine:
        """The engine with a store of its own, calling this sandbox or recorder."""
        return Engine(self.binary, folder, url.url)

    def say(self, text: str) -> None:
        """A line for whoever watches."""
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)


@dataclass(frozen=True)
class PeerRun:
    """A peer to be run for comparison, beside the cases that wait most of the time."""

    who: str
    # The script in bench/peers and its flags; it gets --input, --url and --api-key besides.
    script: str
    flags: Sequence[str]
    prompts: Path
    items: int
    sandbox_flags: Sequence[str]
    # The least time that the limit allows, in seconds: what the time is a multiple of.
    ideal: float
    # Of every answer, where that is the same for all; else the peer's own time is taken.
    latency: float | None


@dataclass(frozen=True)
class Case:
    """Something to measure."""

    key: str
    # What is done, in a line.
    title: str
    run: Callable[[Bench], Result]
    # It waits most of the time, so that peers may run beside it.
    calm: bool = False
    # What to run beside it for comparison, where there is something.
    peers: Callable[[Bench], list[PeerRun]] | None = None
