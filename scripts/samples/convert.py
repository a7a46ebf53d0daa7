#!/usr/bin/env python3
"""Builds assets/library from the list beside this script: the pictures, images.json and SOURCES.md.

    apt-get download tuxpaint-stamps-default && dpkg -x tuxpaint-stamps-default_*.deb unpacked
    python3 scripts/samples/render.py rendered
    python3 scripts/samples/convert.py unpacked/usr/share/tuxpaint/stamps rendered assets/library

Needs Pillow (requirements.txt) and rsvg-convert (librsvg). Every picture is a row of pictures.tsv; what is not in it
is not in the library.
"""

import argparse
import csv
import io
import json
import pathlib
import subprocess

from PIL import Image

LONGEST = 512
LIST = pathlib.Path(__file__).with_name("pictures.tsv")
OWN = "own"

# What the `evidence` column says, in words: the licence, and where it is stated.
EVIDENCE = {
    "metadata": ("Public domain", "the drawing's own metadata"),
    "changelog": ("Public domain", "the package's changelog"),
    "contributors": ("Public domain", "upstream's docs/CONTRIBUTORS.txt"),
    OWN: ("CC0 1.0", "made for this library"),
}

ABOUT = """# Where the sample pictures come from

Every picture here is in the public domain or CC0, so you may use it for anything. The stamps are from Debian's package
`tuxpaint-stamps-default` (2022.06.04-1), a collection that is GPL as a whole; only those are taken whose own metadata,
or the entry for them in the collection's changelog or list of contributors, says that the picture itself is in the
public domain. They are cropped to what is drawn, scaled to at most 512 pixels and saved anew; the
SVG files are as they were. The landscapes and still lifes are our own: `scripts/samples/render.py` renders them, and
they are released under CC0 1.0. Captions, labels and scores are ours too, also under CC0. `scripts/samples/convert.py`
builds this folder from `scripts/samples/pictures.tsv`, and `scripts/samples/check.py` checks it.

"""


def read_list():
    with LIST.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def load(source):
    """The picture at `source`, no longer than `LONGEST`, with its transparency if it has any."""
    if source.suffix == ".svg":
        size = ["-w", str(LONGEST), "-h", str(LONGEST), "-a"]
        drawn = subprocess.run(["rsvg-convert", *size, str(source)], check=True, capture_output=True).stdout
        picture = Image.open(io.BytesIO(drawn))
    else:
        picture = Image.open(source)
    picture = picture.convert("RGBA")
    picture = picture.crop(picture.getchannel("A").getbbox())
    picture.thumbnail((LONGEST, LONGEST), Image.LANCZOS)
    return picture if picture.getchannel("A").getextrema()[0] < 255 else picture.convert("RGB")


def save(row, source, target):
    kind = row["format"]
    if kind == "svg":
        target.write_bytes(source.read_bytes())
    elif kind == "jpg":
        load(source).convert("RGB").save(target, quality=86, optimize=True, progressive=True)
    elif kind == "png":
        load(source).save(target, optimize=True)
    else:
        load(source).save(target, quality=80, method=6)


def background(row):
    if row["evidence"] != OWN:
        return "transparent"
    return "plain" if row["category"] == "abstract" else "scene"


def described(row):
    """The picture's entry in images.json."""
    return {
        "id": row["id"],
        "filename": f"{row['id']}.{row['format']}",
        "caption": row["caption"],
        "labels": row["labels"].split(", "),
        "category": row["category"],
        "tone_score": float(row["tone_score"]),
        "angle_score": float(row["angle_score"]),
        "attributes": {
            "medium": row["medium"],
            "view": row["view"],
            "background": background(row),
            "mood": row["mood"],
        },
    }


def sourced(row):
    """The picture's line in SOURCES.md."""
    licence, where = EVIDENCE[row["evidence"]]
    own = row["evidence"] == OWN
    source = "`scripts/samples/render.py`" if own else f"stamp `{row['source']}`"
    author = "the Atelier project" if own else row["author"] or "not named"
    return f"| `{row['id']}.{row['format']}` | {source} | {author} | {licence} | {where} |\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stamps", type=pathlib.Path, help="the unpacked package's folder of stamps")
    parser.add_argument("rendered", type=pathlib.Path, help="the folder that render.py wrote to")
    parser.add_argument("into", type=pathlib.Path, help="the library's folder")
    folders = parser.parse_args()
    rows = read_list()
    folders.into.mkdir(parents=True, exist_ok=True)
    for row in rows:
        own = row["evidence"] == OWN
        source = folders.rendered / f"{row['id']}.png" if own else folders.stamps / row["source"]
        save(row, source, folders.into / f"{row['id']}.{row['format']}")
    entries = ",\n".join("  " + json.dumps(described(row), ensure_ascii=False) for row in rows)
    (folders.into / "images.json").write_text(f"[\n{entries}\n]\n", encoding="utf-8")
    table = "| Picture | Source | Author | Licence | Stated in |\n|---|---|---|---|---|\n" + "".join(map(sourced, rows))
    (folders.into / "SOURCES.md").write_text(ABOUT + table, encoding="utf-8")
    print(f"{len(rows)} pictures in {folders.into}")


if __name__ == "__main__":
    main()
