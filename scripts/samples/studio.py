"""Products and toys in a studio, plain grounds and strong views: one function a picture."""

import numpy as np

from march import Material, Scene, render
from patterns import checks, lemon_slices
from shapes import box, cylinder, ellipsoid, floor, lathe, sphere, together, torus, wall

PAWN = [
    (0, 0),
    (0.36, 0),
    (0.36, 0.1),
    (0.28, 0.16),
    (0.2, 0.26),
    (0.13, 0.62),
    (0.24, 0.66),
    (0.24, 0.72),
    (0.12, 0.76),
    (0, 0.76),
]
KING = [
    (0, 0),
    (0.42, 0),
    (0.42, 0.12),
    (0.32, 0.2),
    (0.22, 0.34),
    (0.15, 1.0),
    (0.3, 1.06),
    (0.3, 1.12),
    (0.17, 1.18),
    (0.26, 1.5),
    (0.1, 1.6),
    (0, 1.6),
]


def perfume_bottles_on_pink_pedestals(rng):
    glass = Material("f7d7c4", 0.9, 140, 0.2)
    parts = [
        (floor(), Material("f6c6cf", 0.05)),
        (wall(2.4), Material("f9d5da", 0)),
        (cylinder((-0.75, 0.3, 0.2), 0.55, 0.3, 0.02), Material("f4aebd", 0.1)),
        (cylinder((0.6, 0.15, -0.1), 0.6, 0.15, 0.02), Material("fbe4e2", 0.1)),
        (box((-0.75, 0.98, 0.2), (0.3, 0.38, 0.16), 0.05, 18), glass),
        (cylinder((-0.75, 1.48, 0.2), 0.12, 0.12, 0.02), Material("d9a83c", 0.9, 90, 0.35)),
        (lathe((0.6, 0.3, -0.1), [(0, 0), (0.3, 0), (0.34, 0.2), (0.24, 0.45), (0.08, 0.5), (0, 0.5)], 0.02), glass),
        (sphere((0.6, 0.95, -0.1), 0.15), Material("d9a83c", 0.9, 90, 0.35)),
    ]
    return render(
        Scene(
            parts,
            (0, 1.0, -5),
            (0, 0.75, 0),
            34,
            sun=(0.8, 0.9, -0.6),
            sunlight=("fff2ea", 1.7),
            above=("ffe0e6", 0.7),
            under=("f6b8c4", 0.5),
        )
    )


def red_ball_on_a_vivid_blue_ground(rng):
    parts = [
        (floor(), Material("1440d8", 0.1)),
        (wall(2.0), Material("1a50f0", 0)),
        (sphere((0, 0.6, 0), 0.6), Material("f01820", 0.8, 90, 0.06)),
        (box((1.1, 0.35, 0.5), (0.35, 0.35, 0.35), 0.03, 25), Material("ffd400", 0.2)),
    ]
    return render(
        Scene(
            parts,
            (0.3, 0.9, -3.2),
            (0.3, 0.55, 0),
            36,
            sun=(-0.6, 0.9, -0.7),
            sunlight=("ffffff", 2.1),
            above=("a0b8ff", 0.5),
            soft=25,
        )
    )


def cream_jar_close_up(rng):
    parts = [
        (floor(), Material("9fc4b4", 0.4, 60, 0.1)),
        (wall(5), Material("7fae9c", 0)),
        (cylinder((0, 0.3, 0), 0.62, 0.3, 0.06), Material("f1efe6", 0.5, 80)),
        (cylinder((0, 0.72, 0), 0.64, 0.12, 0.04), Material("c89a5a", 0.8, 90, 0.2)),
        (cylinder((0.95, 0.5, 1.9), 0.4, 0.5, 0.06), Material("3f7f66", 0.4)),
        (sphere((-1.2, 0.3, 1.5), 0.3), Material("f4d898", 0.3)),
    ]
    return render(
        Scene(
            parts,
            (0.5, 1.15, -2.1),
            (0.05, 0.45, 0),
            40,
            sun=(-0.8, 0.7, -0.3),
            sunlight=("fff2e0", 1.5),
            above=("d8ece4", 0.4),
            focus=(2.15, 0.9),
        )
    )


def chess_king_from_a_low_angle(rng):
    black = Material("1a1614", 0.7, 60)
    pawns = together(
        *[
            together(lathe((x, 0, z), PAWN, 0.01), sphere((x, 0.9, z), 0.2))
            for x, z in ((-1.2, 0.9), (1.2, 1.2), (2.4, 1.4), (-2.3, 1.3))
        ]
    )
    parts = [
        (floor(), Material(checks("e8d2a8", "5a3018", 1.2), 0.4, 50, 0.1)),
        (
            together(
                lathe((0, 0, 0), KING, 0.01), box((0, 1.78, 0), (0.05, 0.2, 0.05)), box((0, 1.8, 0), (0.15, 0.05, 0.05))
            ),
            Material("f2e2c0", 0.6, 60),
        ),
        (pawns, black),
    ]
    return render(
        Scene(
            parts,
            (0.5, 0.22, -2.6),
            (0, 1.0, 0),
            52,
            sun=(-0.9, 0.6, -0.3),
            sunlight=("ffcf90", 2.3),
            above=("38404a", 0.4),
            background=("12100e", "3a2a20"),
            focus=(2.75, 0.55),
            size=(384, 512),
        )
    )


def gift_boxes_from_above(rng):
    parts = [(floor(), Material("c8102e", 0.05))]
    for x, z, half, tall, turn, paper, ribbon in (
        (-0.7, 0.2, 0.6, 0.5, 12, "f7f2e8", "c8a03c"),
        (0.75, 0.5, 0.45, 0.4, -20, "14543a", "f7f2e8"),
        (0.5, -0.75, 0.38, 0.3, 35, "e8b83c", "8a1020"),
    ):
        parts.append((box((x, tall / 2, z), (half, tall / 2, half), 0.01, turn), Material(paper, 0.15)))
        band = together(
            box((x, tall / 2, z), (half + 0.008, tall / 2 + 0.008, 0.07), 0.0, turn),
            box((x, tall / 2, z), (0.07, tall / 2 + 0.008, half + 0.008), 0.0, turn),
        )
        parts.append(
            (
                together(
                    band, torus((x - 0.1, tall + 0.05, z), 0.1, 0.035), torus((x + 0.1, tall + 0.05, z), 0.1, 0.035)
                ),
                Material(ribbon, 0.6, 50),
            )
        )
    return render(
        Scene(
            parts,
            (0, 5.2, -0.4),
            (0, 0, -0.05),
            38,
            sun=(0.7, 1, 0.5),
            sunlight=("fff0dc", 2.1),
            above=("ffd8d0", 0.45),
        )
    )


def lemons_on_yellow_from_above(rng):
    spots = [((i % 3 - 1) * 1.25 + 0.25 * (i // 3 % 2), (i // 3 - 1) * 0.95) for i in range(9)]
    whole, cut = spots[1::2], spots[::2]
    fruit = [
        together(ellipsoid((x, 0.3, z), (0.44, 0.3, 0.3), turn), ellipsoid((x, 0.3, z), (0.53, 0.09, 0.09), turn))
        for (x, z), turn in zip(whole, (20, -50, 65, -15))
    ]
    parts = [
        (floor(), Material("e8a800", 0.05)),
        (together(*fruit), Material("ffe23c", 0.5, 40)),
        (together(*[cylinder((x, 0.06, z), 0.39, 0.06, 0.015) for x, z in cut]), Material(lemon_slices(cut), 0.2)),
    ]
    return render(
        Scene(
            parts,
            (0, 5.0, -0.02),
            (0, 0, 0),
            40,
            sun=(-0.8, 0.75, 0.5),
            sunlight=("fffbe8", 1.6),
            above=("fff0b0", 0.4),
            soft=30,
        )
    )


def toy_car_from_a_low_front(rng):
    wheels = together(*[cylinder((x, 0.2, z), 0.2, 0.09, 0.03, 0) for x in (-0.55, 0.55) for z in (-0.75, 0.75)])
    parts = [
        (floor(), Material("e6eef2", 0.3, 60, 0.08)),
        (wall(9), Material("bfe0ea", 0)),
        (
            together(box((0, 0.42, 0), (0.55, 0.24, 1.2), 0.12), box((0, 0.78, 0.15), (0.44, 0.26, 0.6), 0.14)),
            Material("d8201a", 0.5, 90, 0.03),
        ),
        (box((0, 0.82, -0.42), (0.36, 0.14, 0.06), 0.03), Material("20303c", 0.9, 90, 0.25)),
        (wheels, Material("1c1c20", 0.2)),
        (
            together(sphere((-0.34, 0.45, -1.17), 0.1), sphere((0.34, 0.45, -1.17), 0.1)),
            Material("fff6d8", 0.8, 80, light=0.6),
        ),
        (box((0, 0.26, -1.2), (0.5, 0.05, 0.06), 0.03), Material("d8dce0", 0.9, 80, 0.4)),
    ]
    return render(
        Scene(
            parts,
            (1.5, 0.28, -3.3),
            (0.05, 0.48, 0),
            42,
            sun=(0.6, 0.8, -0.7),
            sunlight=("fff6e8", 2.0),
            above=("d8ecf8", 0.6),
            focus=(3.1, 0.9),
        )
    )


def tower_of_toy_blocks_from_below(rng):
    colours = ("e8402a", "ffd02a", "2a9a4a", "2a6ae0", "f08a1e", "9a4ad0")
    parts = [(floor(), Material("f4e8d4", 0.05))]
    for i, colour in enumerate(colours):
        parts.append(
            (
                box((0.08 * np.sin(i * 2.3), 0.4 + 0.8 * i, 0.06 * np.cos(i * 1.7)), (0.4, 0.398, 0.4), 0.04, 17 * i),
                Material(colour, 0.25),
            )
        )
    return render(
        Scene(
            parts,
            (0.9, 0.15, -2.9),
            (0.05, 2.4, 0),
            66,
            sun=(-0.7, 0.7, -0.7),
            sunlight=("fff8ec", 2.1),
            above=("c8e4ff", 0.6),
            background=("5ab4f0", "e4f4fc"),
            size=(384, 512),
        )
    )


def steel_balls_close_up(rng):
    balls = [
        (-0.6, 0.4, 0.1),
        (0.28, 0.4, -0.25),
        (1.2, 0.4, 0.35),
        (-0.2, 0.4, 1.0),
        (0.75, 0.4, 1.25),
        (-1.4, 0.4, 0.95),
    ]
    parts = [
        (floor(), Material(checks("2a2c34", "3c404a", 0.6), 0.3)),
        (together(*[sphere(p, 0.4) for p in balls]), Material("c8d0dc", 1.0, 150, 0.75)),
    ]
    return render(
        Scene(
            parts,
            (0.2, 0.95, -2.4),
            (0.1, 0.35, 0.2),
            38,
            sun=(0.7, 0.6, -0.5),
            sunlight=("cfe4ff", 2.2),
            above=("4a6a9a", 0.5),
            background=("1a2a4a", "c8782e"),
            focus=(2.3, 1.3),
        )
    )


PICTURES = [
    perfume_bottles_on_pink_pedestals,
    red_ball_on_a_vivid_blue_ground,
    cream_jar_close_up,
    chess_king_from_a_low_angle,
    gift_boxes_from_above,
    lemons_on_yellow_from_above,
    toy_car_from_a_low_front,
    tower_of_toy_blocks_from_below,
    steel_balls_close_up,
]
