#!/usr/bin/env python3
"""Renders an example for each preset of assets/camera.toml: one toy traveller, seen as the preset says (CC0).

    python3 scripts/samples/presets.py web/src/studio/composer/presets          # all of them, as WebP
    python3 scripts/samples/presets.py /tmp/some lens-85mm light-night

What a lens does is worked out, not drawn: the angle of view follows from its focal length on film of 36 mm, the distance
from how large the traveller has to be, the blur from the depth. Needs Pillow and numpy (requirements.txt).
"""

import argparse
import pathlib
import tomllib

import numpy as np
from PIL import Image

from march import Material, Scene, linear, render
from patterns import checks
from shapes import box, cylinder, ellipsoid, lathe, sphere, together, torus

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZE = (288, 216)
FILM = 36.0

COAT = [(0, 0.5), (0.42, 0.5), (0.44, 0.54), (0.3, 1.1), (0.2, 1.26), (0, 1.26)]
HAT = [(0, 0), (0.46, 0), (0.48, 0.04), (0.28, 0.08), (0.22, 0.34), (0.1, 0.42), (0, 0.42)]


def wood(p):
    """Light wood with its rings."""
    rings = np.hypot(p[:, 0] * 1.0, p[:, 1] * 0.45 + p[:, 2])
    grain = 0.5 + 0.35 * np.sin(rings * 55 + 1.6 * np.sin(p[:, 1] * 7)) + 0.15 * np.sin(p[:, 1] * 160)
    return linear("e9c79a") * (1 - grain[:, None] * 0.4) + linear("b9854c") * grain[:, None] * 0.4


def traveller(x=0.0, z=0.0):
    """The toy: 1.9 units tall, it looks towards -z."""
    at = lambda dx, y, dz: (x + dx, y, z + dz)
    return [
        (
            together(cylinder(at(-0.16, 0.27, 0), 0.1, 0.24, 0.03), cylinder(at(0.16, 0.27, 0), 0.1, 0.24, 0.03)),
            Material("33475f", 0.1),
        ),
        (
            together(
                ellipsoid(at(-0.16, 0.07, -0.06), (0.14, 0.09, 0.22)), ellipsoid(at(0.16, 0.07, -0.06), (0.14, 0.09, 0.22))
            ),
            Material("5a2f1c", 0.4, 60),
        ),
        (lathe((x, 0, z), COAT, 0.02), Material("f2b21c", 0.3, 40)),
        (
            together(
                ellipsoid(at(-0.36, 0.92, -0.06), (0.12, 0.3, 0.13), 14), ellipsoid(at(0.36, 0.92, -0.06), (0.12, 0.3, 0.13), -14)
            ),
            Material("f2b21c", 0.3, 40),
        ),
        (together(sphere(at(-0.4, 0.62, -0.1), 0.09), sphere(at(0.4, 0.62, -0.1), 0.09)), Material(wood, 0.2)),
        (torus(at(0, 1.27, 0), 0.2, 0.075), Material("c8322a", 0.1)),
        (sphere(at(0, 1.52, 0), 0.3), Material(wood, 0.25, 50)),
        (together(sphere(at(-0.11, 1.56, -0.275), 0.04), sphere(at(0.11, 1.56, -0.275), 0.04)), Material("1c1a20", 0.9, 90)),
        (sphere(at(0, 1.48, -0.31), 0.055), Material("d9694a", 0.3)),
        (lathe((x, 1.66, z), HAT, 0.01), Material("2f6f5a", 0.15)),
        (torus(at(0, 1.74, 0), 0.26, 0.035), Material("c8322a", 0.1)),
    ]


def suitcase():
    return [
        (box((0.78, 0.26, 0.1), (0.24, 0.26, 0.14), 0.05, 12), Material("8a4a2a", 0.4, 60)),
        (torus((0.78, 0.56, 0.1), 0.09, 0.022, 2), Material("3a2418", 0.4)),
    ]


def surroundings():
    """A street of a toy town: a house, trees, lamps, hills."""
    trees = [(-2.6, 3.5, 1.0), (2.7, 4.8, 1.2), (-4.6, 9, 1.5), (4.9, 11, 1.6), (-1.9, 15, 1.5), (1.2, 19, 1.7)]
    crowns = together(*[ellipsoid((x, 1.75 * s, z), (0.8 * s, 1.0 * s, 0.8 * s)) for x, z, s in trees])
    trunks = together(*[cylinder((x, 0.5 * s, z), 0.12 * s, 0.6 * s) for x, z, s in trees])
    return [
        (lambda p: p[:, 1], Material(checks("a99c82", "93866c", 1.2), 0.08)),
        (crowns, Material("4f8a4a", 0.05)),
        (trunks, Material("6a4a30", 0.05)),
        (box((-1.2, 1.2, 8.5), (1.3, 1.2, 1.0), 0.03), Material("e8ddc8", 0.05)),
        (box((-1.2, 2.55, 8.5), (1.5, 0.2, 1.2), 0.12), Material("b8452f", 0.05)),
        (together(box((-1.75, 1.3, 7.5), (0.28, 0.35, 0.04)), box((-0.65, 1.3, 7.5), (0.28, 0.35, 0.04))), Material("4a6a86", 0.8, 90)),
        (together(ellipsoid((-16, -2, 42), (20, 9, 12)), ellipsoid((18, -3, 46), (22, 12, 12))), Material("7fa08a", 0)),
    ]


def seen(focal, tall, at=(0, 0.95, 0), height=None, across=0.0):
    """Where a lens of `focal` mm has to stand so that `tall` units fill the picture's height, and its angle of view."""
    angle = 2 * np.arctan(FILM / 2 / focal)
    away = tall * SIZE[0] / SIZE[1] / 2 / np.tan(angle / 2)
    eye = (at[0] + across * away, at[1] if height is None else height, at[2] - away * np.sqrt(max(1 - across**2, 0.1)))
    return eye, at, float(np.degrees(angle)), away


def scene(eye, target, angle, parts=None, **more):
    standard = dict(
        sun=(-0.8, 0.9, -0.55), sunlight=("fff2dc", 2.1), above=("b8d2ee", 0.6), background=("9cc4ea", "e8eef2"), haze=0.006,
        soft=9, size=SIZE,
    )
    parts = parts or [*traveller(), *suitcase(), *surroundings()]
    return render(Scene(parts, eye, target, angle, **{**standard, **more}), 1.6)


def shot(tall, at, focus=None):
    eye, target, angle, away = seen(50, tall, at, at[1] + 0.05)
    return scene(eye, target, angle, focus=(away, focus) if focus else None)


SHOTS = {
    "extreme-close-up": lambda: shot(0.3, (0.08, 1.54, -0.2), 1.2),
    "close-up": lambda: shot(0.95, (0, 1.58, 0), 0.9),
    "medium-close-up": lambda: shot(1.35, (0, 1.4, 0), 0.6),
    "medium": lambda: shot(1.9, (0, 1.25, 0), 0.4),
    "full": lambda: shot(2.6, (0.1, 1.0, 0)),
    "long": lambda: shot(5.5, (0, 1.6, 0)),
    "extreme-long": lambda: shot(13.0, (0, 3.4, 0)),
}


def looking(eye, target=(0, 1.0, 0), angle=44, **more):
    return scene(eye, target, angle, **more)


def over_the_shoulder():
    someone = [(sphere((-0.52, 1.62, -2.25), 0.3), Material("5a3826", 0.1)),
               (ellipsoid((-0.6, 0.98, -2.25), (0.62, 0.42, 0.3)), Material("3f4a6a", 0.05))]
    parts = [*someone, *traveller(), *suitcase(), *surroundings()]
    return scene((-0.1, 1.75, -3.6), (0.05, 1.35, 0), 44, parts, focus=(3.6, 0.9))


VIEWS = {
    "eye-level": lambda: looking((0, 1.5, -3.6), (0, 1.1, 0)),
    "high": lambda: looking((0.3, 3.8, -2.9), (0.1, 0.85, 0)),
    "low": lambda: looking((0.25, 0.12, -2.5), (0, 1.35, 0)),
    "birds-eye": lambda: looking((0.2, 6.0, -0.05), (0.2, 0, 0), 40),
    "dutch": lambda: looking((0, 1.3, -3.5), (0, 1.0, 0), roll=18),
    "over-the-shoulder": over_the_shoulder,
}


def lens(focal, blur):
    eye, target, angle, away = seen(focal, 2.5, (0.1, 1.05, 0), 1.25)
    return scene(eye, target, angle, focus=(away, blur) if blur else None)


LENSES = {
    "24mm": lambda: lens(24, 0),
    "35mm": lambda: lens(35, 0.15),
    "50mm": lambda: lens(50, 0.45),
    "85mm": lambda: lens(85, 1.1),
    "135mm": lambda: lens(135, 2.2),
}


def light(parts=None, **more):
    return scene((0.15, 1.35, -3.7), (0.05, 1.05, 0), 44, parts, **more)


def in_the_studio():
    ground = [(lambda p: p[:, 1], Material("e9e6e1", 0.05)), (lambda p: 2.6 - p[:, 2], Material("efece8", 0))]
    return light(
        [*traveller(), *suitcase(), *ground], sun=(-0.7, 0.9, -0.9), sunlight=("fffaf2", 1.5), above=("ffffff", 0.75),
        under=("d8d4cc", 0.5), soft=3, haze=0,
    )


def at_night():
    lamp = [(sphere((1.25, 2.15, 0.5), 0.13), Material("ffe0a0", 0, light=7)),
            (cylinder((1.25, 1.05, 0.5), 0.035, 1.05), Material("20242c", 0.3))]
    return light(
        [*lamp, *traveller(), *suitcase(), *surroundings()], sunlight=("304070", 0.12), above=("1c2a4c", 0.28),
        under=("141418", 0.2), background=("060a18", "141c30"), lamps=[((1.25, 2.1, 0.2), "ffb860", 2.4), ((-1.6, 1.6, 6.6), "ffc070", 2.2)],
    )


LIGHTS = {
    "daylight": lambda: light(sun=(-1, 0.75, -0.35), soft=5),
    "golden-hour": lambda: light(
        sun=(-1, 0.22, -0.25), sunlight=("ff9a48", 3.0), above=("8a88b0", 0.42), under=("8a5a40", 0.4),
        background=("8fa6cc", "ffd3a0"), soft=14,
    ),
    "overcast": lambda: light(
        sunlight=("ffffff", 0.15), above=("e6ebf0", 1.25), under=("8a8a88", 0.6), background=("c4ccd4", "dfe3e6"), haze=0.02, soft=2
    ),
    "studio": in_the_studio,
    "hard": lambda: light(sun=(-0.85, 0.6, -0.5), sunlight=("ffffff", 3.2), above=("405070", 0.14), under=("202020", 0.1), soft=60),
    "backlit": lambda: light(
        sun=(0.35, 0.5, 1.0), sunlight=("fff0d0", 5.2), above=("a8b8cc", 0.36), under=("504a48", 0.25),
        background=("e8eef4", "fff4dc"), soft=12,
    ),
    "night": at_night,
}

PICTURES = {"shot": SHOTS, "view": VIEWS, "lens": LENSES, "light": LIGHTS}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("into", type=pathlib.Path, help="the folder to write to")
    parser.add_argument("names", nargs="*", help="only these, such as lens-85mm")
    wanted = parser.parse_args()
    wanted.into.mkdir(parents=True, exist_ok=True)
    presets = tomllib.loads((ROOT / "assets/camera.toml").read_text())
    for part, those in presets.items():
        for preset in those:
            name = f"{part}-{preset['name']}"
            if wanted.names and name not in wanted.names:
                continue
            picture = PICTURES[part][preset["name"]]()
            image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
            image.save(wanted.into / f"{name}.webp", quality=72, method=6)
            print(name, flush=True)


if __name__ == "__main__":
    main()
