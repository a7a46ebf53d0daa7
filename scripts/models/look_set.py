#!/usr/bin/env python3
"""Makes a folder of captioned pictures to measure the look embedder on, from packages of Debian.

    apt-get download tuxpaint-stamps-default
    scripts/models/look_set.py tuxpaint tuxpaint-stamps-default_*.deb OUT
    apt-get download openclipart-png openclipart-svg
    scripts/models/look_set.py openclipart openclipart-png_*.deb openclipart-svg_*.deb OUT

    cargo run --release -p atelier-embed --example look_recall OUT

tuxpaint-stamps-default judges: 785 PNGs, captioned by the first lines of the text files beside them. Nothing
may be chosen by looking at its captions. openclipart is there to choose by: its captions are the titles of
those drawings that have one in English. OUT holds the pictures as PPM, over white, no longer than 512 pixels
a side, and list.tsv with a line for each: file, folder, caption.
"""

import html
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

SIDE = 512
# Of openclipart: the rest are shapes, flags, icons and patterns.
FOLDERS = """animals buildings containers decorations education electronics food office people plants recreation
science tools transportation unsorted""".split()
# A title of one of these words alone says nothing.
FILLERS = {"a", "an", "the", "of", "in", "on", "with", "and", "b", "w"}
WORDS = Path("/usr/share/dict/american-english")  # package wamerican


def unpack(package, folder):
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True)


def over_white(path):
    picture = Image.open(path).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    picture = white.convert("RGB")
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC)
    return picture


def tuxpaint(folder):
    """Path and caption of each stamp."""
    for path in sorted(folder.rglob("*.png")):
        text = path.with_suffix(".txt")
        if text.exists():
            yield path, text.read_text(encoding="utf-8", errors="replace").splitlines()[0].strip()


def openclipart(folder):
    """Path and caption of each drawing with a usable title; at most two with the same."""
    root, words, seen = folder / "usr/share/openclipart", set(WORDS.read_text().lower().split()), {}
    for path in sorted(path for name in FOLDERS for path in (root / "svg" / name).rglob("*.svg")):
        png = root / "png" / path.relative_to(root / "svg").with_suffix(".png")
        title = title_of(path.read_text(encoding="utf-8", errors="replace"))
        used = re.findall(r"[a-z]+", title)
        usable = 0 < len(used) <= 8 and all(word in words for word in used) and not FILLERS.issuperset(used)
        if not png.exists() or not usable or "clip art" in title or "clipart" in title:
            continue
        seen[title] = seen.get(title, 0) + 1
        if seen[title] <= 2:
            yield png, title


def title_of(svg):
    work = re.search(r"<(?:cc:)?Work.*?</(?:cc:)?Work>", svg, re.DOTALL)
    title = re.search(r"<dc:title>([^<]+)", work.group()) if work else None
    text = html.unescape(title.group(1)).lower() if title else ""
    return re.sub(r"\s+", " ", re.sub(r"\.svg|[_#\d-]", " ", text)).strip()


def main():
    kind, *packages, target = sys.argv[1:]
    target = Path(target)
    target.mkdir(parents=True, exist_ok=True)
    Image.MAX_IMAGE_PIXELS = None
    with tempfile.TemporaryDirectory() as folder, open(target / "list.tsv", "w", encoding="utf-8") as index:
        for package in packages:
            unpack(package, folder)
        pairs = {"tuxpaint": tuxpaint, "openclipart": openclipart}[kind](Path(folder))
        count = 0
        for path, caption in pairs:
            name = f"{count:05}.ppm"
            over_white(path).save(target / name)
            index.write(f"{name}\t{path.parent.relative_to(folder)}\t{caption}\n")
            count += 1
    print(f"{count} pictures in {target}")


if __name__ == "__main__":
    main()
