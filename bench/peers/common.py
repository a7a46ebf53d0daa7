"""What the peers' adapters share: the prompts they are given, and how they say what came of them."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The flags that every adapter takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--input", required=True, help="lines of {id, prompt}, and config where calls need one")
    parser.add_argument("--url", required=True, help="the sandbox")
    parser.add_argument("--api-key", required=True)
    parser.add_argument("--model", default="gemini-2.5-flash")
    parser.add_argument("--concurrency", type=int, default=30)
    return parser


def read(path: str) -> list[dict[str, Any]]:
    """The prompts."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


async def report(items: int, answer: Callable[[], Awaitable[int]]) -> None:
    """Runs `answer`, which gives the number of items answered, and prints one line of JSON about it.

    The interpreter's start and the imports are not in the time.
    """
    started = time.perf_counter()
    done = await answer()
    seconds = time.perf_counter() - started
    print(json.dumps({"done": done, "lost": items - done, "seconds": seconds}))
