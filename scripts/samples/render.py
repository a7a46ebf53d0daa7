#!/usr/bin/env python3
"""Renders the pictures of the sample library that are our own (CC0): landscapes, skies and still lifes.

    python3 scripts/samples/render.py /tmp/rendered            # all of them, as PNG
    python3 scripts/samples/render.py /tmp/rendered coffee-cup-from-above

Needs Pillow and numpy (requirements.txt). The same picture comes out every time: its random numbers start from its name.
"""

import argparse
import pathlib
import zlib

import numpy as np
from PIL import Image

import buildings
import landscapes
import still_lifes
import studio

PARTS = [landscapes, still_lifes, studio, buildings]


def name_of(function):
    """The picture's name, as its file has it."""
    return function.__name__.replace("_", "-")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("into", type=pathlib.Path, help="the folder to write to")
    parser.add_argument("names", nargs="*", help="only these pictures")
    wanted = parser.parse_args()
    wanted.into.mkdir(parents=True, exist_ok=True)
    for function in [picture for part in PARTS for picture in part.PICTURES]:
        name = name_of(function)
        if wanted.names and name not in wanted.names:
            continue
        picture = function(np.random.default_rng(zlib.crc32(name.encode())))
        Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)).save(wanted.into / f"{name}.png")
        print(name)


if __name__ == "__main__":
    main()
