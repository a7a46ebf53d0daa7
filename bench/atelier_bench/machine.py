"""Where and on what it was measured."""

from __future__ import annotations

import os
import platform
import re
import resource
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from .bench import ROOT

SYNCS = 100
# Connections of the cases with the most calls in flight: two for each in a recorder, and files besides.
OPEN_FILES = 20_000


def cache() -> Path:
    """Where the benches keep what they fetch and build."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "atelier" / "bench"


def allow_connections() -> None:
    """Has this process and those that it starts open as many connections as the cases need, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def describe(binary: Path | None, work: Path) -> dict[str, str]:
    """The machine, the day, the code and, if it is one, the program, as the report has them."""
    about = {
        "cores": str(os.cpu_count()),
        "CPU": cpu_model(),
        "system": f"{platform.system()} {platform.release()}",
        "a write and its sync": f"{sync_seconds(work) * 1e3:.2f} ms (median of {SYNCS}, on the disk of the stores)",
        "load before": f"{os.getloadavg()[0]:.2f} (of the last minute; 0 is a quiet machine)",
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
    }
    return about if binary is None else {**about, "binary": first_line([str(binary), "--version"])}


def cpu_model() -> str:
    """What the kernel calls the processor."""
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()


def sync_seconds(folder: Path) -> float:
    """How long a small write takes until it is durable: what every commit waits for."""
    path, took = folder / "sync-probe", []
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - started)
    path.unlink()
    return median(took)


def commit() -> str:
    """The commit, and whether something was changed since."""
    head = first_line(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"])
    # Results are written by the benchmark itself.
    status = ["git", "-C", str(ROOT), "status", "--porcelain", "--", ".", ":!bench/results"]
    return head + (" and changes" if first_line(status) else "")


def first_line(command: list[str]) -> str:
    """The first line that a command prints; nothing where it can't be run."""
    try:
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    return printed.partition("\n")[0].strip()
