"""The sandbox as a process of its own, and its counts."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from .result import Broken

# The sandbox lists the times of so many arrivals one by one.
LISTED = 1000
STARTS_WITHIN = 20.0


@dataclass(frozen=True)
class Stats:
    """The counts of a sandbox. Times are in seconds on this machine's monotonic clock."""

    calls: int
    # Calls that a quota refused.
    refused: int
    # Faults that took effect, by kind.
    faults: dict[str, int]
    # Tokens of the answers that were written whole.
    input_tokens: int
    output_tokens: int
    items_answered: int
    items_answered_again: int
    # When calls that were let in arrived, and those that were refused: the first thousand of each.
    arrivals: list[float]
    refusals: list[float]

    @classmethod
    def read(cls, counts: dict[str, Any], zero: float) -> Stats:
        """From what the sandbox says, whose times count from `zero`."""
        return cls(
            calls=counts["calls"],
            refused=counts["refusals"],
            faults=counts["faults"],
            input_tokens=counts["input_tokens"],
            output_tokens=counts["output_tokens"],
            items_answered=counts["items_answered"],
            items_answered_again=counts["items_answered_more_than_once"],
            arrivals=[zero + at / 1000 for at in counts["arrivals_ms"]],
            refusals=[zero + at / 1000 for at in counts["refusals_ms"]],
        )

    @property
    def admitted(self) -> int:
        """Calls that were let in."""
        return self.calls - self.refused

    def all_arrivals(self) -> list[float]:
        """When every call that was let in arrived.

        Raises Broken where there were none, or more than the sandbox lists.
        """
        if not self.arrivals or self.admitted > LISTED:
            raise Broken(f"the sandbox let {self.admitted} calls in, and lists the times of 1 to {LISTED}")
        return self.arrivals


class Sandbox:
    """A running `atelier sandbox`. Use it in a `with`; it ends with it."""

    def __init__(self, binary: Path, folder: Path, *flags: str) -> None:
        self._folder = folder
        self._command = [str(binary), "sandbox", "--addr", "127.0.0.1:0", *flags]
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Sandbox:
        self._folder.mkdir(parents=True, exist_ok=True)
        port_file, log = self._folder / "sandbox-url", self._folder / "sandbox.log"
        port_file.unlink(missing_ok=True)
        with log.open("wb") as to:
            self._process = subprocess.Popen(
                [*self._command, "--port-file", str(port_file)], stdout=to, stderr=to, stdin=subprocess.DEVNULL
            )
        until = time.monotonic() + STARTS_WITHIN
        while not port_file.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                self._end()
                raise Broken(f"the sandbox did not start: {log.read_text(errors='replace')[-400:]}")
            time.sleep(0.01)
        self.url = port_file.read_text().strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it. Raises Broken where someone else has done so before, whatever came of that."""
        gone = self.gone()
        self._end()
        if gone is not None and (error is None or isinstance(error, Broken)):
            raise Broken(gone) from error

    def gone(self) -> str | None:
        """What there is to say where it has ended by itself, or by someone else's doing."""
        code = self._process.poll() if self._process is not None else None
        if code is None:
            return None
        said = (self._folder / "sandbox.log").read_text(errors="replace").strip()
        return f"the sandbox has ended before its time, with code {code}: {said[-200:]}"

    def _end(self) -> None:
        if self._process is not None:
            # It keeps nothing, so it needs no time to stop.
            self._process.kill()
            self._process.wait()

    def stats(self) -> Stats:
        """The counts since the start, or since the last reset."""
        counts = self._page(f"{self.url}/stats")
        return Stats.read(counts, time.monotonic() - counts["elapsed_ms"] / 1000)

    def reset(self) -> None:
        """Counts from nothing again. Quotas keep what was spent of them."""
        self._page(urllib.request.Request(f"{self.url}/stats/reset", method="POST"))

    def _page(self, page: str | urllib.request.Request) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(page, timeout=30) as answer:
                read: dict[str, Any] = json.load(answer)
        except OSError as error:
            raise Broken(self.gone() or f"the sandbox can't be asked: {error}") from error
        return read
