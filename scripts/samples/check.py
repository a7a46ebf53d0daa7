#!/usr/bin/env python3
"""Checks the sample library: files, sizes, descriptions, sources.

    python3 scripts/samples/check.py [assets/library]

Ends with 1 and a line for each thing that is wrong.
"""

import collections
import json
import pathlib
import re
import sys

MAX_BYTES = 6_000_000
MIN_PICTURES = 120
ABOUT = {"images.json", "SOURCES.md"}
KEYS = {"id", "filename", "caption", "labels", "category", "tone_score", "angle_score", "attributes"}
FREE = ("Public domain", "CC0")


def twice(values):
    return sorted(value for value, count in collections.Counter(values).items() if count > 1)


def wrong_with_files(folder, pictures):
    listed = {picture["filename"] for picture in pictures}
    there = {file.name for file in folder.iterdir()} - ABOUT
    yield from (f"{name} is listed, but not there" for name in sorted(listed - there))
    yield from (f"{name} is there, but not listed" for name in sorted(there - listed))
    size = sum(file.stat().st_size for file in folder.iterdir())
    if size > MAX_BYTES:
        yield f"{size} bytes are more than {MAX_BYTES}"


def wrong_with_descriptions(pictures):
    if len(pictures) < MIN_PICTURES:
        yield f"{len(pictures)} pictures are fewer than {MIN_PICTURES}"
    for key in ("id", "filename", "caption"):
        yield from (f"the {key} `{value}` is there more than once" for value in twice(p[key] for p in pictures))
    for picture in pictures:
        name = picture["id"]
        if set(picture) != KEYS:
            yield f"{name} has other keys than {', '.join(sorted(KEYS))}"
        if pathlib.PurePath(picture["filename"]).stem != name or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            yield f"{name} is no name in kebab-case that its file has too"
        if not 5 <= len(picture["caption"].split()) <= 14:
            yield f"the caption of {name} has not 5 to 14 words"
        if not 3 <= len(picture["labels"]) <= 6 or any(label != label.lower() for label in picture["labels"]):
            yield f"{name} has not 3 to 6 labels in lower case"
        for score in ("tone_score", "angle_score"):
            if not 0 <= picture[score] <= 1:
                yield f"the {score} of {name} is not within 0 and 1"
        if not all(isinstance(value, str) and value for value in picture["attributes"].values()):
            yield f"{name} has an attribute that is no text"


def wrong_with_sources(folder, pictures):
    rows = re.findall(r"^\| `([^`]+)` \|(.+)\|$", (folder / "SOURCES.md").read_text(encoding="utf-8"), re.M)
    names, listed = [name for name, _ in rows], {picture["filename"] for picture in pictures}
    yield from (f"{name} has more than one row in SOURCES.md" for name in twice(names))
    yield from (f"{name} has no row in SOURCES.md" for name in sorted(listed - set(names)))
    yield from (f"SOURCES.md has a row for {name}, which is not listed" for name in sorted(set(names) - listed))
    for name, rest in rows:
        cells = [cell.strip() for cell in rest.split("|")]
        if len(cells) != 4 or not all(cells) or not cells[2].startswith(FREE):
            yield f"the row of {name} in SOURCES.md lacks a source, an author or a free licence"


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "assets" / "library"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    pictures = json.loads((folder / "images.json").read_text(encoding="utf-8"))
    wrong = [
        *wrong_with_files(folder, pictures),
        *wrong_with_descriptions(pictures),
        *wrong_with_sources(folder, pictures),
    ]
    print(
        "\n".join(wrong)
        if wrong
        else f"{len(pictures)} pictures, {sum(f.stat().st_size for f in folder.iterdir())} bytes: all well"
    )
    for key in ("category", "medium"):
        counts = collections.Counter(picture.get(key) or picture["attributes"][key] for picture in pictures)
        print(f"{key}: " + ", ".join(f"{name} {count}" for name, count in counts.most_common()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
