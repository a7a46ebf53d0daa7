"""Other tools under the same limits, each in a process of its own against a sandbox of its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import threading
import time
import venv
from pathlib import Path

from . import ideal, report
from .bench import ROOT, Bench, PeerRun
from .engine import tail
from .result import Broken, Result, Row, Skipped
from .sandbox import LISTED, Sandbox, Stats

HERE = ROOT / "bench" / "peers"
REQUIREMENTS = HERE / "requirements.txt"
# A peer is stopped after so many times the ideal, and so many seconds at the latest; what it did counts.
PATIENCE, AT_MOST = 6, 600.0
BEGINS_WITHIN = 60.0


def install(cache: Path) -> Path:
    """The Python that has the peers; they are installed where they are missing or have changed.

    Raises Skipped where that can't be done, as without a network.
    """
    folder = cache / "venv"
    python, stamp = folder / "bin" / "python", folder / "stamp"
    wanted = sys.version + hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    try:
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        installed = subprocess.run([*pip, "-r", str(REQUIREMENTS)], capture_output=True, text=True, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise Skipped(f"the peers can't be installed: {error}") from error
    if installed.returncode:
        raise Skipped(f"the peers can't be installed: {tail(installed.stderr)}")
    stamp.write_text(wanted)
    return python


class Peer:
    """A peer at work in the background."""

    def __init__(self, bench: Bench, python: Path, run: PeerRun, folder: Path) -> None:
        self.run = run
        self._sandbox = bench.sandbox(folder, *run.sandbox_flags).__enter__()
        command = [
            str(python), str(HERE / run.script), "--input", str(run.prompts), "--url", self._sandbox.url,
            "--api-key", "sandbox", *run.flags,
        ]
        self._process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "NO_PROXY": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self._patience = min(PATIENCE * run.ideal, AT_MOST)
        self._stopped = threading.Timer(self._patience, self._process.kill)
        self._stopped.start()

    def has_begun(self) -> bool:
        """Whether it has made a call, or will make none."""
        return self._process.poll() is not None or self._sandbox.stats().calls > 0

    def end(self) -> tuple[Row, Stats]:
        """Waits for its end, and gives its row."""
        try:
            out, err = self._process.communicate()
            self._stopped.cancel()
            stats = self._sandbox.stats()
        finally:
            self.stop()
        if self._process.returncode == -9:
            unanswered = self.run.items - stats.items_answered
            return Row(self.run.who, {
                "time, s": f"stopped at {self._patience:.0f}", "time / ideal": "–", "refusals": stats.refused,
                "lost": f"{unanswered} not answered",
            }), stats
        if self._process.returncode:
            raise Broken(f"it ended with code {self._process.returncode}: {tail(err)}")
        came = json.loads(out)
        took = came["seconds"]
        if self.run.latency is not None and 0 < stats.admitted <= LISTED:
            took = ideal.span(stats.arrivals, self.run.latency)
        # A time in which items were lost is no time for all of them.
        ratio = took / self.run.ideal if not came["lost"] else "–"
        numbers = {"time, s": took, "time / ideal": ratio, "refusals": stats.refused, "lost": came["lost"]}
        return Row(self.run.who, numbers), stats

    def stop(self) -> None:
        """Ends it and its sandbox, where they are still there."""
        self._stopped.cancel()
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(Broken):
            self._sandbox.__exit__(None, None, None)


class Background:
    """All the peers of some cases, started together. They wait most of the time, as the limits have it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._peers: list[tuple[str, Peer]] = []

    def start(self, python: Path, wanted: list[tuple[str, PeerRun]]) -> None:
        """Starts them, and returns when each has made its first call: starting Python takes the cores."""
        for number, (case, run) in enumerate(wanted):
            folder = self._bench.folder(f"peer-{number}-{case}")
            self._peers.append((case, Peer(self._bench, python, run, folder)))
        until = time.monotonic() + BEGINS_WITHIN
        while time.monotonic() < until and not all(peer.has_begun() for _, peer in self._peers):
            time.sleep(0.1)

    def join(self, results: dict[str, Result]) -> None:
        """Waits for all of them, and adds their rows to the results of their cases."""
        for case, peer in self._peers:
            self._bench.say(f"{case}: waiting for {peer.run.who}")
            try:
                row, stats = peer.end()
            except Broken as error:
                results[case].notes.append(f"{peer.run.who} could not be measured: {error}")
                self._bench.say(f"    {results[case].notes[-1]}")
                continue
            results[case].rows.append(row)
            self._bench.say(f"    {report.row_told(row)}")
            if stats.arrivals:
                first = min(stats.arrivals)
                results[case].curves[peer.run.who] = sorted(at - first for at in stats.arrivals)

    def stop(self) -> None:
        """Ends those that are still there."""
        for _, peer in self._peers:
            peer.stop()


def rate(python: Path, script: str, prompts: Path, sandbox: Sandbox, *flags: str, within: float = 300) -> float:
    """Items a second that a peer answers where nothing holds it back, its start not counted."""
    command = [str(python), str(HERE / script), "--input", str(prompts), "--url", sandbox.url, "--api-key", "sandbox"]
    ran = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=within, check=False)
    if ran.returncode:
        raise Broken(f"{script} ended with code {ran.returncode}: {tail(ran.stderr)}")
    came = json.loads(ran.stdout)
    if came["lost"]:
        raise Broken(f"{script} lost {came['lost']} items")
    return int(came["done"]) / float(came["seconds"])
