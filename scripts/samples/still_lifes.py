"""Still lifes at home, as a photographer would set them up: one function a picture."""

from march import Material, Scene, render
from patterns import planks
from shapes import box, cylinder, floor, lathe, sphere, together, torus, wall, without

BOTTLE = [
    (0, 0),
    (0.3, 0),
    (0.32, 0.03),
    (0.32, 0.75),
    (0.28, 0.88),
    (0.12, 1.05),
    (0.1, 1.3),
    (0.13, 1.32),
    (0.13, 1.38),
    (0, 1.38),
]
CUP = [(0, 0), (0.26, 0), (0.34, 0.12), (0.4, 0.5), (0.37, 0.5), (0.31, 0.14), (0.24, 0.04), (0, 0.04)]
BOWL = [(0, 0), (0.3, 0), (0.55, 0.14), (0.78, 0.42), (0.74, 0.43), (0.5, 0.18), (0.28, 0.06), (0, 0.06)]
VASE = [
    (0, 0),
    (0.22, 0),
    (0.42, 0.3),
    (0.4, 0.6),
    (0.16, 0.95),
    (0.14, 1.1),
    (0.24, 1.28),
    (0.2, 1.28),
    (0.1, 1.1),
    (0, 1.1),
]
TALL_VASE = [(0, 0), (0.2, 0), (0.26, 0.4), (0.2, 1.2), (0.3, 1.6), (0.26, 1.6), (0.16, 1.2), (0, 1.2)]


def green_bottle_in_warm_side_light(rng):
    parts = [
        (floor(), Material("c9a27a", 0.05)),
        (wall(2.2), Material("d9b48a", 0)),
        (lathe((0, 0, 0), BOTTLE, 0.01), Material("1f6b45", 0.9, 120, 0.12)),
        (cylinder((0, 1.42, 0), 0.1, 0.08, 0.02), Material("7a4a22", 0.1)),
        (cylinder((0, 0.45, 0), 0.335, 0.18), Material("f2e4c8", 0.05)),
        (sphere((0.75, 0.22, -0.2), 0.22), Material("d8531e", 0.3, 60)),
    ]
    return render(
        Scene(
            parts,
            (0.2, 0.85, -4.6),
            (0.2, 0.68, 0),
            34,
            sun=(-1, 0.55, -0.35),
            sunlight=("ffc98a", 2.4),
            above=("e8c8a8", 0.4),
        )
    )


def coffee_cup_from_above(rng):
    parts = [
        (floor(), Material(planks("5a3820", "8a5a34"), 0.1)),
        (
            lathe((0, 0, 0), [(0, 0.02), (0.4, 0.02), (0.78, 0.1), (0.76, 0.13), (0.38, 0.06), (0, 0.06)]),
            Material("f4efe6", 0.5, 80),
        ),
        (lathe((0, 0.05, 0), CUP), Material("f7f2ea", 0.5, 80)),
        (cylinder((0, 0.42, 0), 0.35, 0.03), Material("4a2812", 0.5, 60)),
        (torus((0.5, 0.35, 0), 0.14, 0.035, 2), Material("f7f2ea", 0.5, 80)),
        (torus((0, 0.44, 0), 0.31, 0.035), Material("b8814a", 0.2)),
        (cylinder((-1.15, 0.05, 0.45), 0.32, 0.05, 0.02), Material("c8863c", 0.1)),
        (torus((-1.15, 0.1, 0.45), 0.2, 0.05), Material("a8642a", 0.1)),
    ]
    return render(
        Scene(
            parts,
            (-0.25, 4.6, -0.02),
            (-0.25, 0, 0),
            36,
            sun=(-0.7, 0.8, 0.6),
            sunlight=("ffe2bc", 2.2),
            above=("c8c0b8", 0.45),
        )
    )


def bowl_of_oranges_at_a_high_angle(rng):
    orange = Material("f2820f", 0.35, 40)
    fruit = [(-0.3, 0.36, -0.15), (0.28, 0.36, -0.22), (0.02, 0.36, 0.3), (-0.02, 0.66, -0.02), (1.15, 0.27, -0.5)]
    parts = [
        (floor(), Material("2f6f8a", 0.15)),
        (lathe((0, 0, 0), BOWL, 0.01), Material("f3ead8", 0.5, 80)),
        (together(*[sphere(place, 0.28) for place in fruit]), orange),
    ]
    return render(
        Scene(
            parts,
            (0.6, 3.0, -3.2),
            (0.15, 0.25, 0),
            34,
            sun=(0.9, 1, 0.2),
            sunlight=("fff0d8", 2.3),
            above=("a8d0e8", 0.5),
        )
    )


def three_vases_in_evening_light(rng):
    parts = [
        (floor(), Material("8a5a48", 0.1)),
        (wall(1.8), Material("b0674a", 0)),
        (lathe((-0.85, 0, 0.1), VASE, 0.01), Material("e8d8c0", 0.15)),
        (lathe((0.05, 0, 0.4), TALL_VASE, 0.01), Material("2f3f4f", 0.3)),
        (lathe((0.85, 0, -0.15), [(r * 0.9, h * 0.7) for r, h in VASE], 0.01), Material("c8502e", 0.2)),
    ]
    return render(
        Scene(
            parts,
            (0, 0.35, -4.8),
            (0, 0.78, 0),
            36,
            sun=(-1, 0.32, -0.45),
            sunlight=("ff9a50", 2.8),
            above=("705080", 0.4),
        )
    )


def books_stacked_by_a_window(rng):
    colours = ("b8322a", "e8d8b8", "1f4f6a", "d99a2e", "3f6f4a", "ecebe4")
    parts = [(floor(), Material(planks("9a7048", "c89a68"), 0.1)), (wall(2.0), Material("e9e4da", 0))]
    for i, colour in enumerate(colours):
        size = (0.78 - 0.05 * i, 0.09 + 0.02 * (i % 2), 0.52 - 0.02 * i)
        turn, level = (-12, 8, -4, 15, -9, 5)[i], 0.1 + 0.215 * i
        parts.append((box((0, level, 0), size, 0.015, turn), Material(colour, 0.1)))
        parts.append(
            (
                box((0.02, level, -0.01), (size[0] + 0.004, size[1] * 0.7, size[2] + 0.004), 0.0, turn),
                Material("f7f1e2", 0),
            )
        )
    return render(
        Scene(
            parts,
            (2.6, 2.2, -3.4),
            (0, 0.6, 0),
            32,
            sun=(-0.8, 0.7, -0.5),
            sunlight=("fff4e0", 2.0),
            above=("cfe0f2", 0.6),
        )
    )


def candle_in_a_dark_room(rng):
    parts = [
        (floor(), Material("4a2f1e", 0.4, 30)),
        (wall(1.6), Material("4a3428", 0)),
        (cylinder((0, 0.4, 0), 0.22, 0.4, 0.03), Material("e8d2a8", 0.2, light=0.12)),
        (
            lathe((0, 0.84, 0), [(0, 0), (0.05, 0.06), (0.055, 0.12), (0.02, 0.26), (0, 0.3)], 0.01),
            Material("ffd880", 0, light=9),
        ),
        (
            lathe((0, -0.01, 0), [(0, 0), (0.4, 0), (0.46, 0.08), (0.44, 0.09), (0.38, 0.03), (0, 0.03)]),
            Material("b8863c", 0.9, 60, 0.3),
        ),
        (sphere((0.8, 0.2, 0.3), 0.2), Material("7a1a1a", 0.4)),
    ]
    lamps = [((0, 1.05, -0.3), "ffa040", 1.5)]
    return render(
        Scene(
            parts,
            (0.2, 0.95, -3.6),
            (0.15, 0.62, 0),
            34,
            sunlight=("203050", 0.08),
            above=("182038", 0.2),
            under=("181010", 0.2),
            background=("05060a", "0a0808"),
            lamps=lamps,
        )
    )


def desk_lamp_at_night(rng):
    shade = lathe((0.3, 1.15, 0), [(0, 0.42), (0.12, 0.42), (0.42, 0), (0.38, 0), (0.1, 0.38), (0, 0.38)], 0.01)
    parts = [
        (floor(), Material(planks("3a2418", "6a4228"), 0.3)),
        (wall(1.5), Material("2a4a4a", 0)),
        (shade, Material("c8a040", 0.5)),
        (sphere((0.3, 1.2, 0), 0.12), Material("fff0c0", 0, light=8)),
        (
            together(
                cylinder((-0.35, 0.04, 0.15), 0.34, 0.04, 0.02),
                box((-0.2, 0.8, 0.12), (0.03, 0.8, 0.03)),
                box((0.05, 1.58, 0.06), (0.28, 0.03, 0.03)),
            ),
            Material("c8a040", 0.6, 60),
        ),
        (box((0.75, 0.06, -0.5), (0.5, 0.05, 0.36), 0.01, -18), Material("e8e0d0", 0.05)),
        (lathe((-1.05, 0, -0.35), [(r * 0.7, h * 0.9) for r, h in CUP]), Material("b84a30", 0.3)),
    ]
    lamps = [((0.3, 1.02, -0.05), "ffb860", 1.6)]
    return render(
        Scene(
            parts,
            (-0.4, 1.15, -4.2),
            (0, 0.75, 0),
            38,
            sunlight=("304878", 0.12),
            above=("182848", 0.3),
            under=("201810", 0.2),
            background=("060810", "0a0c14"),
            lamps=lamps,
        )
    )


def tilted_view_of_two_mugs(rng):
    def mug(x, z, colour):
        return (
            together(
                lathe((x, 0, z), [(0, 0), (0.36, 0), (0.36, 0.75), (0.32, 0.75), (0.32, 0.08), (0, 0.08)], 0.015),
                torus((x + 0.42, 0.4, z), 0.2, 0.05, 2),
            ),
            Material(colour, 0.5, 60),
        )

    parts = [
        (floor(), Material("e4dccf", 0.15)),
        (wall(2.5), Material("8fb8b0", 0)),
        mug(-0.55, 0, "e8654a"),
        mug(0.6, 0.5, "f3c24a"),
    ]
    return render(
        Scene(
            parts,
            (0.6, 1.7, -3.2),
            (0.05, 0.4, 0.2),
            34,
            roll=16,
            sun=(-0.8, 0.8, -0.6),
            sunlight=("fff4e4", 2.0),
            above=("d0e8e4", 0.55),
        )
    )


def row_of_green_apples(rng):
    parts = [(floor(), Material("f7f5f0", 0.2, 40, 0.05)), (wall(14), Material("dfe8e2", 0))]
    apples = [(-1.3 + 0.55 * i, 0.36, -0.6 + 0.95 * i) for i in range(6)]
    parts.append(
        (
            together(*[without(sphere(p, 0.38), sphere((p[0], p[1] + 0.46, p[2]), 0.15)) for p in apples]),
            Material("7cc02a", 0.6, 60),
        )
    )
    parts.append((together(*[cylinder((x, y + 0.38, z), 0.02, 0.12) for x, y, z in apples]), Material("5a3a1c")))
    return render(
        Scene(
            parts,
            (-0.6, 0.8, -3.4),
            (0, 0.42, 0.6),
            36,
            sun=(-0.7, 0.8, -0.5),
            sunlight=("ffffff", 1.7),
            above=("eef8ee", 0.7),
            focus=(3.0, 1.6),
        )
    )


PICTURES = [
    green_bottle_in_warm_side_light,
    coffee_cup_from_above,
    bowl_of_oranges_at_a_high_angle,
    three_vases_in_evening_light,
    books_stacked_by_a_window,
    candle_in_a_dark_room,
    desk_lamp_at_night,
    tilted_view_of_two_mugs,
    row_of_green_apples,
]
