"""Runs of `atelier`, each timed from outside and with its peak memory."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from .result import Broken
from .terminal import Terminal

MODEL = "gemini:gemini-2.5-flash"
KEY = "sandbox"
SAMPLED_EVERY = 0.05


@dataclass(frozen=True)
class Finished:
    """A process that has ended. Times are in seconds on the monotonic clock."""

    code: int
    started: float
    ended: float
    peak_kib: int
    stdout: str
    stderr: str

    @property
    def seconds(self) -> float:
        """From the start of the process to its end."""
        return self.ended - self.started

    @property
    def summary(self) -> dict[str, Any]:
        """The JSON that it printed."""
        try:
            read: dict[str, Any] = json.loads(self.stdout)
        except json.JSONDecodeError as error:
            raise Broken(f"it printed no JSON: {error}; {tail(self.stderr)}") from error
        return read

    def expect(self, *codes: int) -> Finished:
        """Itself, if it ended with one of these codes (0 where none is named); else raises Broken."""
        if self.code not in (codes or (0,)):
            raise Broken(f"it ended with code {self.code}: {tail(self.stderr)}")
        return self


def tail(text: str) -> str:
    """The end of what was said, on one line."""
    return " | ".join(text.strip().splitlines()[-3:])[-400:]


class Run:
    """A running `atelier`. In a `with` it is killed if it is still there at the end."""

    def __init__(
        self, command: list[str], env: dict[str, str], folder: Path, name: str, on: Terminal | None = None
    ) -> None:
        self._out, self._err = folder / f"{name}.stdout", folder / f"{name}.stderr"
        self._peak_kib = 0
        self._on = on
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.started = time.monotonic()
            self._process = subprocess.Popen(
                command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err if on is None else on.end
            )
        if on is not None:
            on.watch()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _sample(self) -> None:
        """Keeps the kernel's own high-water mark, which goes with the process."""
        status = Path(f"/proc/{self._process.pid}/status")
        while self._process.returncode is None:
            try:
                mark = re.search(r"VmHWM:\s*(\d+)", status.read_text())
            except OSError:
                return
            if mark:
                self._peak_kib = max(self._peak_kib, int(mark[1]))
            time.sleep(SAMPLED_EVERY)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Ends it as a power cut would, as far as a process can tell; nothing where it has ended."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def interrupt(self) -> None:
        """Asks it to stop, as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    def wait(self, within: float = 600) -> Finished:
        """Waits for its end. Raises Broken if that does not come within so many seconds."""
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Broken(f"it did not end within {within:.0f} s: {tail(self._said())}") from None
        ended = time.monotonic()
        self._sampler.join()
        return Finished(code, self.started, ended, self._peak_kib, self._out.read_text(), self._said())

    def _said(self) -> str:
        """What it said beside its result, once it has ended."""
        return self._err.read_text(errors="replace") if self._on is None else self._on.text()


class Engine:
    """`atelier` with a data directory of its own in `folder`, calling `url`.

    It sees nothing of the user's: no configuration, no key, no data.
    """

    def __init__(self, binary: Path, folder: Path, url: str = "") -> None:
        self.folder = folder
        self._binary = str(binary)
        self._runs = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(folder),
            "ATELIER_DATA_DIR": str(folder / "data"),
            "GEMINI_API_KEY": KEY,
            "GOOGLE_GEMINI_BASE_URL": url or "http://127.0.0.1:9",
        }

    def start(self, *arguments: str | Path, on: Terminal | None = None) -> Run:
        """Starts a command, on a terminal where one is given."""
        self._runs += 1
        command = [self._binary, *map(str, arguments)]
        env = self._env if on is None else {**self._env, "TERM": "xterm"}
        return Run(command, env, self.folder, f"{str(arguments[0]).lstrip('-')}-{self._runs}", on)

    def answer(self, prompts: Path, out: Path, *flags: str, on: Terminal | None = None) -> Run:
        """Starts `atelier run` on a file of prompts."""
        return self.start("run", prompts, "--out", out, "--model", MODEL, "--json", *flags, on=on)

    def ask(self, *arguments: str | Path) -> dict[str, Any]:
        """Runs a command that takes no time, and gives its JSON."""
        return self.start(*arguments, "--json").wait(60).expect().summary

    def understands(self, command: str, flag: str) -> bool:
        """Whether a command has a flag."""
        return re.search(rf"{re.escape(flag)}\b", self.start(command, "--help").wait(30).expect().stdout) is not None
