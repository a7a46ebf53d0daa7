"""Buildings, as a photographer would look for them: one function a picture."""

import numpy as np

from march import Material, Scene, linear, render
from patterns import checks, windows
from shapes import box, cylinder, floor, lathe, together


def towers_from_below(rng, **light):
    spots = [(-3.4, 3, 15), (3.6, 2.4, 19), (-4.4, 8.5, 24), (4.2, 8, 13), (0.4, 12, 28)]
    tone, lit = light.pop("tone"), light.pop("lit", None)
    parts = [(floor(), Material("55585e"))]
    for x, z, tall in spots:
        own = 0.35 if lit else 0.0
        parts.append(
            (box((x, tall / 2, z), (1.5, tall / 2, 1.5), 0.02), Material(windows(*tone, lit=lit), 0.5, 60, 0.1, own))
        )
    return render(Scene(parts, (0, 0.6, -3.2), (0, 7.5, 4.5), 78, size=(384, 512), reach=90, **light))


def towers_from_below_at_noon(rng):
    return towers_from_below(
        rng, tone=("d9dde2", "4a7aa8"), sun=(0.5, 0.8, -0.7), background=("2a78d0", "bfe0f6"), sunlight=("fff8ec", 2.2)
    )


def towers_from_below_at_dusk(rng):
    return towers_from_below(
        rng,
        tone=("3a3448", "1c2238"),
        lit="ffb050",
        sun=(-0.9, 0.25, -0.5),
        background=("1c1c4a", "e0785a"),
        sunlight=("ff8850", 0.9),
        above=("5a5090", 0.4),
    )


def city_blocks_from_above(rng):
    parts = [(floor(), Material("6d7076"))]
    for i in range(6):
        for j in range(6):
            tall = 0.5 + 2.6 * rng.random() ** 2
            colour = ("d8cfc0", "b86a4a", "c8c8cc", "9aa6b2", "e4d2a8", "8a5a48")[rng.integers(6)]
            if (i, j) in ((2, 3), (4, 1)):
                tall, colour = 0.06, "4f8f3e"
            parts.append(
                (box((i * 1.6 - 4, tall / 2, j * 1.6 - 4), (0.58, tall / 2, 0.58), 0.02), Material(colour, 0.05))
            )
    return render(
        Scene(
            parts,
            (-1.5, 13, -4.5),
            (0, 0, 0),
            40,
            sun=(0.9, 0.75, 0.4),
            sunlight=("ffe8c8", 1.6),
            above=("a8c4f0", 0.4),
        )
    )


def white_steps_with_blue_shadows(rng):
    steps = together(*[box((0, 0.15 + 0.3 * i, i * 0.45), (2.2, 0.16, 3.0)) for i in range(9)])
    parts = [
        (floor(), Material("f2ede4")),
        (steps, Material("fbf8f2", 0.05)),
        (box((-2.5, 1.5, 2), (0.3, 3.2, 6)), Material("fdfaf5")),
        (box((2.0, 2.2, 5.6), (0.5, 0.9, 0.05)), Material("1f6fd0")),
    ]
    return render(
        Scene(
            parts,
            (2.4, 1.6, -7.5),
            (-0.2, 1.5, 0),
            36,
            sun=(-0.75, 0.9, -0.35),
            sunlight=("fff2d8", 1.9),
            above=("6aa4ff", 0.6),
            background=("1a62c8", "8cc4f4"),
            size=(384, 512),
        )
    )


def columns_in_a_long_hall(rng):
    shafts = together(*[cylinder((side, 1.6, z), 0.32, 1.6) for side in (-1.6, 1.6) for z in np.arange(0, 15, 2.1)])
    feet = together(
        *[box((side, 0.1, z), (0.45, 0.1, 0.45), 0.02) for side in (-1.6, 1.6) for z in np.arange(0, 15, 2.1)]
    )
    parts = [
        (floor(), Material(checks("e8dcc8", "6a5648", 0.8), 0.4, 60, 0.15)),
        (shafts, Material("e6d6ba")),
        (feet, Material("c8b496")),
        (box((0, 3.5, 7), (2.4, 0.3, 9)), Material("d9c6a4")),
        (box((-2.9, 1.6, 7), (0.2, 2, 9)), Material("cfb892")),
    ]
    return render(
        Scene(
            parts,
            (0, 1.35, -3.2),
            (0, 1.45, 5),
            58,
            sun=(0.9, 0.55, -0.2),
            sunlight=("ffd9a0", 2.6),
            above=("c8b8a8", 0.45),
            background=("a8d0f0", "fff2d8"),
        )
    )


def lighthouse_at_dusk_from_below(rng):
    def bands(p):
        return np.where((np.floor(p[:, 1] / 1.1) % 2 > 0)[:, None], linear("d8302a"), linear("f6f0e6"))

    parts = [
        (lambda p: p[:, 1] - 0.35 * np.sin(p[:, 0] * 0.9) * np.cos(p[:, 2] * 0.8) + 0.3, Material("2c3a34")),
        (lathe((0, 0, 4), [(0, 0), (1.0, 0), (0.62, 6.6), (0, 6.6)]), Material(bands, 0.15)),
        (
            together(cylinder((0, 6.7, 4), 0.9, 0.09), lathe((0, 7.55, 4), [(0, 0), (0.7, 0), (0, 0.7)])),
            Material("22262e", 0.3),
        ),
        (cylinder((0, 7.15, 4), 0.42, 0.38), Material("ffe090", 0, light=4)),
    ]
    return render(
        Scene(
            parts,
            (2.2, 0.5, -3.2),
            (0.1, 4.2, 4),
            62,
            sun=(-0.9, 0.28, -0.5),
            sunlight=("ff9a60", 1.8),
            above=("6a70c0", 0.5),
            background=("1c2a68", "f08a70"),
            size=(384, 512),
            reach=80,
        )
    )


def red_roofed_house_from_above(rng):
    def roof(p):
        return np.maximum(
            np.abs(p[:, 2]) * 0.64 + (p[:, 1] - 2.15) * 0.77, np.maximum(np.abs(p[:, 0]) - 1.55, 0.95 - p[:, 1])
        )

    trees = together(
        *[
            lathe((x, 0, z), [(0, 0.2), (0.5, 0.3), (0, 1.6)], 0.03)
            for x, z in ((-2.6, 0.8), (-2.9, -0.6), (2.5, 1.4), (2.9, 0.2), (0.4, 2.7))
        ]
    )
    parts = [
        (floor(), Material("6fa83c")),
        (box((0, 0.6, 0), (1.4, 0.6, 1.1)), Material("f6ead2")),
        (roof, Material("c8402a", 0.1)),
        (box((0.8, 2.0, 0.4), (0.16, 0.5, 0.16)), Material("9a5a40")),
        (trees, Material("1f5a2e")),
        (box((0, 0.02, -2.6), (0.3, 0.02, 1.5)), Material("d8cbb0")),
        (box((0, 0.35, -1.1), (0.2, 0.35, 0.03)), Material("2f5f8a")),
        (
            together(box((-0.8, 0.65, -1.1), (0.22, 0.2, 0.03)), box((0.8, 0.65, -1.1), (0.22, 0.2, 0.03))),
            Material("8fc8e8", 0.6),
        ),
    ]
    return render(
        Scene(
            parts,
            (4.2, 5.6, -6.4),
            (0, 0.5, -0.1),
            40,
            sun=(0.9, 0.9, -0.6),
            sunlight=("fff2d8", 2.2),
            above=("b0d4ff", 0.5),
            background=("8cc4f0", "d8ecd0"),
        )
    )


PICTURES = [
    towers_from_below_at_noon,
    towers_from_below_at_dusk,
    city_blocks_from_above,
    white_steps_with_blue_shadows,
    columns_in_a_long_hall,
    lighthouse_at_dusk_from_below,
    red_roofed_house_from_above,
]
