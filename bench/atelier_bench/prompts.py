"""Files of prompts, and the checking of what was answered."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

WORDS = "heron dusk harbour lantern willow ferry copper meadow thistle gull orchard pebble".split()


def prompt(name: str, number: int, size: int = 0) -> str:
    """A prompt that no other is like; padded to `size` bytes where that is more."""
    first, second = WORDS[number % len(WORDS)], WORDS[number * 7 % 11]
    text = f"Item {name}-{number:07d}: say in one sentence what the {first} has to do with the {second}."
    return text + " ." * ((size - len(text)) // 2) + "." * ((size - len(text)) % 2) if size > len(text) else text


def write_prompts(path: Path, name: str, items: int, size: int = 0) -> Path:
    """Writes a file of `items` prompts, whose ids are `NAME-0000000` and on."""
    with path.open("w") as file:
        for number in range(items):
            file.write(json.dumps({"id": f"{name}-{number:07d}", "prompt": prompt(name, number, size)}) + "\n")
    return path


def item_in(body: bytes) -> str | None:
    """The id of the prompt that a request asks."""
    found = re.search(rb"Item ([a-z][a-z0-9-]*-\d{7}):", body)
    return found[1].decode() if found else None


@dataclass
class Answers:
    """What a file of answers holds of the items that were asked."""

    done: int = 0
    # Ids of answers that are not done, with what became of them.
    other: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    missing: int = 0
    strange: list[str] = field(default_factory=list)

    @property
    def fault(self) -> str | None:
        """What is wrong with them, if something is."""
        parts = []
        if self.missing:
            parts.append(f"{self.missing} items have no outcome")
        kinds = {"two outcomes": self.doubled, "a bad outcome": self.other, "a foreign id": self.strange}
        for what, ids in kinds.items():
            if ids:
                parts.append(f"{len(ids)} have {what}, such as {ids[0]}")
        return "; ".join(parts) or None


def check_answers(path: Path, name: str, items: int) -> Answers:
    """Reads answers of the prompts that `write_prompts` wrote: each is to be there once, and done."""
    answers, seen = Answers(), bytearray(items)
    with path.open() as file:
        for line in file:
            answer = json.loads(line)
            whose, _, number = answer["id"].rpartition("-")
            if whose != name or not number.isdigit() or int(number) >= items:
                answers.strange.append(answer["id"])
                continue
            if seen[int(number)]:
                answers.doubled.append(answer["id"])
            seen[int(number)] = 1
            if answer["status"] == "done" and answer["text"]:
                answers.done += 1
            else:
                answers.other.append(f"{answer['id']} ({answer['status']})")
    answers.missing = items - sum(seen)
    return answers
