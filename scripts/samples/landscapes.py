"""Landscapes and skies: one function a picture.

Each function in `PICTURES` takes a random generator and gives an array of height x width x 3 in 0..1.
"""

import numpy as np

from paint import (
    HEIGHT,
    WIDTH,
    below,
    blur,
    clouds,
    disc,
    fbm,
    glow,
    gradient,
    grid,
    noise,
    over,
    ranges,
    rgb,
    ridge,
    skyline,
    spruces,
    stars,
    water,
)


def dusk_over_mountain_ridges(rng):
    x, y = grid()
    sky = gradient(y, [(0, "2b2350"), (0.3, "7c3f73"), (0.5, "e0705a"), (0.62, "ffc27a")])
    sky = clouds(rng, sky, "ff9d7a", 0.5, 0.5, 8, 2, 0.55)
    sky = over(sky, rgb("fff0c0"), glow(0.62, 0.55, 0.22) * 0.9)
    return ranges(rng, sky, 5, 0.58, 0.92, "b0607a", "170f26", 3, 0.13)


def pale_morning_over_foggy_hills(rng):
    x, y = grid()
    sky = over(gradient(y, [(0, "dfe6ea"), (0.6, "f6efe4")]), rgb("fffaf0"), glow(0.3, 0.35, 0.3))
    return ranges(rng, sky, 5, 0.5, 0.9, "d9dde0", "8fa0a3", 2, 0.09, 0.35)


def moon_over_dark_lake(rng):
    x, y = grid()
    sky = stars(rng, gradient(y, [(0, "050a1c"), (0.6, "1d3358")]), 350, 0.5)
    sky = over(sky, rgb("9fb8e0"), glow(0.68, 0.22, 0.16) * 0.55)
    sky = over(sky, rgb("fbf6e3"), disc(0.68, 0.22, 0.055))
    sky = ranges(rng, sky, 3, 0.5, 0.58, "16284a", "060c18", 3, 0.08)
    return water(rng, sky, 0.6, "071226", 0.3, 9)


def red_sunset_over_calm_sea(rng):
    x, y = grid()
    sky = gradient(y, [(0, "5a1230"), (0.3, "c22a2a"), (0.55, "ff8a3c"), (0.6, "ffd27a")])
    sky = clouds(rng, sky, "7d1634", 0.52, 0.7, 10, 2, 0.6)
    sky = over(sky, rgb("ffe9b0"), glow(0.5, 0.54, 0.18) * 0.8)
    sky = over(sky, rgb("fff6d8"), disc(0.5, 0.54, 0.07))
    return water(rng, sky, 0.6, "3a0d24", 0.35, 7)


def northern_lights_over_spruces(rng):
    x, y = grid()
    sky = stars(rng, gradient(y, [(0, "040818"), (0.9, "10303c")]), 500)
    for colour, height, power in (("3dffa0", 0.5, 0.75), ("37d6c0", 0.38, 0.45), ("b05cff", 0.24, 0.5)):
        edge = height + 0.1 * ridge(rng, 3, 3)[None, :]
        rays = 0.5 + 0.5 * noise(rng, 1, 60)
        up = np.clip(edge - y, 0, 1)
        sky += (
            rgb(colour)
            * (power * rays * np.where(y < edge, np.exp(-up / 0.16), np.exp(-(y - edge) / 0.025)))[..., None]
        )
    return spruces(rng, np.clip(sky, 0, 1), 0.88, "03070c", 90, 0.26)


def dunes(rng, sky, light, shade, layers=6, top=0.45):
    """Sand in long folds, lit from one side."""
    x, y = grid()
    grain = fbm(rng, 60, 20, 3)
    for layer in range(layers):
        t = layer / (layers - 1)
        bends = noise(rng, 1, 2 + layer % 2)[0] + 0.12 * noise(rng, 1, 7)[0] - 0.55
        level = top + 0.45 * t**1.3 - 0.24 * (0.4 + t) * bends
        side = np.clip(0.45 + np.gradient(level)[None, :] * WIDTH * 0.9, 0, 1)
        depth = np.clip((y - level[None, :]) / 0.22, 0, 1)
        lit = np.clip(side * (1 - 0.5 * depth) + (grain - 0.5) * 0.22, 0, 1)[..., None]
        sky = over(sky, rgb(shade) * (1 - lit) + rgb(light) * lit, below(level[None, :]))
    return sky


def golden_dunes_in_low_sun(rng):
    x, y = grid()
    sky = over(gradient(y, [(0, "5f86a8"), (0.5, "f3d3a0")]), rgb("fff3cf"), glow(0.15, 0.4, 0.25))
    return dunes(rng, sky, "f7b95a", "6b2f14")


def pink_dunes_at_dawn(rng):
    x, y = grid()
    return dunes(rng, gradient(y, [(0, "b9c6ea"), (0.5, "ffd9d6")]), "ffc9b8", "7d5a86", 5, 0.5)


def snow_peaks_on_a_clear_day(rng):
    x, y = grid()
    picture = gradient(y, [(0, "1f6fc4"), (0.7, "a9d6f5")])
    for base, size, dark, bright in ((0.6, 0.34, "7e97b8", "eef5fc"), (0.75, 0.3, "4a5f80", "ffffff")):
        level = base - size * np.abs(ridge(rng, 3, 7, 0.55)) - 0.08 * ridge(rng, 5)
        texture = fbm(rng, 30, 30, 4)
        side = np.clip(0.5 - np.gradient(level)[None, :] * WIDTH * 0.25 + (texture - 0.5) * 2.2, 0, 1)
        snow = side * np.clip(1.6 - (y - level[None, :]) / 0.22, 0, 1)
        picture = over(
            picture, rgb(dark) * (1 - snow[..., None]) + rgb(bright) * snow[..., None], below(level[None, :])
        )
    return spruces(rng, picture, 0.93, "12301f", 110, 0.14)


def storm_over_grey_sea(rng):
    x, y = grid()
    sky = gradient(y, [(0, "2a3138"), (0.5, "8b969b"), (0.55, "b9c0bd")])
    sky = clouds(rng, sky, "1d2227", 0.62, 0.9, 6, 3, 0.62)
    sea = fbm(rng, 70, 8, 5) * np.clip((y - 0.5) * 2.2, 0.25, 1)
    colour = gradient(np.clip(sea * 1.7, 0, 1), [(0, "1a2a30"), (0.6, "3f565b"), (0.85, "6d8385"), (1, "d8e0de")])
    mask = below(np.full((1, WIDTH), 0.56))[..., None]
    return sky * (1 - mask) + colour * mask


def city_skyline_at_night(rng):
    x, y = grid()
    sky = gradient(y, [(0, "070a1a"), (0.6, "2a2350"), (0.75, "6b3a62")])
    sky = skyline(rng, sky, 0.74, "1a1a34", "ffcf7a", 26, 0.45, 0.25)
    sky = skyline(rng, sky, 0.74, "0c0d1c", "ffe2a0", 30, 0.34, 0.5)
    return water(rng, sky, 0.74, "05060f", 0.25, 6)


def city_skyline_at_sunrise(rng):
    x, y = grid()
    sky = over(gradient(y, [(0, "6fa3d8"), (0.5, "ffd0b0"), (0.8, "ff9e80")]), rgb("fff4d8"), glow(0.35, 0.62, 0.2))
    sky = skyline(rng, sky, 0.86, "c98f92", "ffe9c8", 26, 0.5, 0.0)
    sky = over(sky, rgb("ffc9ac"), below(np.full((1, WIDTH), 0.3), 200) * 0.35)
    return skyline(rng, sky, 0.9, "6e4d63", "ffd9a0", 20, 0.36, 0.06)


def milky_way_over_a_ridge(rng):
    x, y = grid()
    sky = gradient(y, [(0, "04050f"), (1, "1b1f3f")])
    along, across = (x - 0.5) * 0.8 + (y - 0.5) * 0.6, (x - 0.5) * 0.62 - (y - 0.5) * 0.8
    band = np.exp(-((across / 0.13) ** 2))
    dust = fbm(rng, 12, 12, 6)
    sky += rgb("d8c8e8") * (band * np.clip(dust * 1.5 - 0.35, 0, 1) * 0.75)[..., None]
    sky += rgb("ff9a80") * (np.exp(-((across / 0.05) ** 2) - (along / 0.3) ** 2) * dust * 0.35)[..., None]
    sky = stars(rng, np.clip(sky, 0, 1), 1500)
    return ranges(rng, sky, 2, 0.85, 0.93, "0a0c18", "020308", 3, 0.1)


def green_hills_in_summer(rng):
    x, y = grid()
    sky = clouds(rng, gradient(y, [(0, "3d90dd"), (0.6, "cbe8f7")]), "ffffff", 0.52, 0.95, 4, 3, 0.6)
    return ranges(rng, sky, 5, 0.56, 0.86, "8fbf9a", "3d8f2b", 2, 0.09, 0.3)


def rows_to_the_horizon(rng, sky, bright, dark, rows=34, horizon=0.45):
    """A field whose rows run together at the horizon."""
    x, y = grid()
    deep = np.clip(y - horizon, 1e-3, 1)
    across = (x - 0.5) / deep
    stripe = 0.5 + 0.5 * np.cos(across * rows)
    lumps = fbm(rng, 80, 60, 3)
    mix = np.clip(stripe * 0.9 + (lumps - 0.5) * 0.9, 0, 1) * np.clip(deep * 7, 0, 1) + 0.5 * np.clip(
        1 - deep * 7, 0, 1
    )
    field = rgb(dark) * (1 - mix[..., None]) + rgb(bright) * mix[..., None]
    mask = below(np.full((1, WIDTH), horizon))[..., None]
    return sky * (1 - mask) + field * mask


def lavender_rows_at_sunset(rng):
    x, y = grid()
    sky = over(gradient(y, [(0, "6a5aa8"), (0.45, "ffb48a")]), rgb("fff0c0"), glow(0.5, 0.44, 0.16))
    sky = ranges(rng, sky, 2, 0.43, 0.46, "8a6a98", "5a4470", 3, 0.04)
    return rows_to_the_horizon(rng, sky, "b48ae6", "33204a")


def wheat_rows_under_a_blue_sky(rng):
    x, y = grid()
    sky = clouds(rng, gradient(y, [(0, "2c7fd0"), (0.5, "d8eefa")]), "ffffff", 0.45, 0.9, 4, 4, 0.45)
    return rows_to_the_horizon(rng, sky, "f2cf63", "a8701c", 26, 0.5)


def road_to_the_horizon_at_dusk(rng):
    x, y = grid()
    sky = over(gradient(y, [(0, "1c2a4a"), (0.5, "e08a5a")]), rgb("ffd9a0"), glow(0.5, 0.5, 0.2))
    picture = ranges(rng, sky, 2, 0.49, 0.51, "5a4a60", "30283c", 4, 0.05)
    deep = np.clip(y - 0.52, 1e-3, 1)
    ground = gradient(np.clip(fbm(rng, 60, 40, 4), 0, 1), [(0, "2a2420"), (1, "7a5a40")])
    across = np.abs(x - 0.5) / deep
    ground = over(ground, rgb("2b2c33"), np.clip((0.9 - across) * 20, 0, 1))
    ground = over(ground, rgb("d8d0c0"), np.clip((0.03 - np.abs(across - 0.82)) * 60, 0, 1))
    dash = (np.sin(2.2 / deep) > 0) & (across < 0.035)
    ground = over(ground, rgb("f0c860"), dash.astype(float))
    mask = below(np.full((1, WIDTH), 0.525))[..., None]
    return picture * (1 - mask) + ground * mask


def turquoise_coast_from_above(rng):
    x, y = grid()
    land = x + (fbm(rng, 4, 4, 6) - 0.5) * 0.9 - 0.25 * np.sin(y * 3)
    picture = gradient(
        land,
        [
            (0, "0a3f78"),
            (0.3, "1284b0"),
            (0.45, "4fd0c8"),
            (0.5, "c8f2e4"),
            (0.515, "ffffff"),
            (0.53, "f0dcb0"),
            (0.6, "d9bf86"),
            (0.64, "6d8f4a"),
            (1, "2f5a2c"),
        ],
    )
    return np.clip(picture * (0.85 + 0.3 * fbm(rng, 60, 60, 3))[..., None], 0, 1)


def patchwork_fields_from_above(rng):
    x, y = grid()
    warp = (fbm(rng, 3, 3, 3) - 0.5) * 0.08
    px, py, count = x + warp, y * 0.75 - warp, 60
    spots = rng.random((count, 2)) * [1.1, 0.85] - 0.05
    distance = np.abs(px[..., None] - spots[:, 0]) + np.abs(py[..., None] - spots[:, 1])
    near = np.sort(distance, -1)[..., :2]
    owner = distance.argmin(-1)
    palette = np.array([rgb(c) for c in ("7fa83c", "c8b24a", "4d7a2e", "e0cf8a", "9a6b3a", "a8c060", "6b8f52")])
    stripes = np.sin((px * np.cos(owner) + py * np.sin(owner)) * 420) * 0.05
    picture = palette[owner % 7] * (0.88 + 0.25 * fbm(rng, 50, 60, 3) + stripes)[..., None]
    return over(np.clip(picture, 0, 1), rgb("3b4a26"), np.clip((0.006 - (near[..., 1] - near[..., 0])) * 300, 0, 1))


def clouds_from_above_at_sunrise(rng):
    x, y = grid()
    sky = over(gradient(y, [(0, "31508f"), (0.35, "f7b08a"), (0.4, "ffe2b8")]), rgb("fff8e0"), glow(0.7, 0.36, 0.2))
    for layer in range(9):
        t = layer / 8
        level = 0.4 + 0.55 * t**1.2 - 0.06 * (0.4 + t) * ridge(rng, 9 - layer // 2, 5, 0.6)
        depth = np.clip((y - level[None, :]) / (0.05 + 0.12 * t), 0, 1)[..., None]
        top = rgb("fff0dc") * (1 - 0.25 * t) + rgb("f2a9a0") * 0.2 * t
        sky = over(sky, top * (1 - depth) + rgb("8a86b8") * depth, below(level[None, :], 5))
    return sky


def misty_teal_forest(rng):
    x, y = grid()
    picture = gradient(y, [(0, "cfe0dc"), (1, "a9c4bf")])
    for layer, colour in enumerate(("a5c0bc", "7ba09d", "4d7878", "244e52", "0d2a30")):
        picture = spruces(rng, picture, 0.45 + 0.13 * layer, colour, 46, 0.22 + 0.05 * layer)
        picture = over(
            picture, rgb("c4d8d4"), below(np.full((1, WIDTH), 0.5 + 0.13 * layer), 60) * (0.3 - 0.06 * layer)
        )
    return picture


def light_rays_under_water(rng):
    x, y = grid()
    picture = gradient(y, [(0, "8fe6ee"), (0.25, "2aa3c8"), (1, "052a52")])
    angle = (x - 0.55) / (y + 0.35)
    rays = np.interp(angle, np.linspace(-1.8, 1.8, 90), rng.random(90)) ** 2
    picture = over(picture, rgb("e8ffff"), rays * np.clip(1 - y * 1.05, 0, 1) * 0.55)
    for _ in range(60):
        picture = over(picture, rgb("e8fbff"), disc(rng.random(), rng.random(), 0.003 + 0.007 * rng.random()) * 0.6)
    return picture


def blurred_city_lights(rng):
    x, y = grid()
    picture = gradient(y, [(0, "0a0c1c"), (1, "1a1024")])
    for _ in range(75):
        colour = rgb(("ff9a3c", "ffd27a", "ff4a5c", "5ac8ff", "ffe9c0", "c86aff")[rng.integers(6)])
        spot = disc(rng.random(), 0.2 + 0.65 * rng.random(), 0.02 + 0.05 * rng.random())
        picture += colour * (spot * (0.15 + 0.4 * rng.random()))[..., None]
    return blur(np.clip(picture, 0, 1), 1.5)


def coral_to_teal_gradient(rng):
    x, y = grid()
    return gradient(
        np.clip((x + y) / 2 + (noise(rng, 2, 2) - 0.5) * 0.3, 0, 1),
        [(0, "ff7a66"), (0.45, "ffc9a8"), (0.7, "6fc8bf"), (1, "0f6a72")],
    )


def night_blue_to_violet_gradient(rng):
    x, y = grid()
    return gradient(np.clip(y + (noise(rng, 2, 2) - 0.5) * 0.4, 0, 1), [(0, "0a0f2e"), (0.5, "3a2a80"), (1, "d05ac0")])


def red_autumn_trees_by_a_lake(rng):
    x, y = grid()
    picture = ranges(rng, gradient(y, [(0, "a8c4d8"), (0.5, "f2e6d4")]), 2, 0.4, 0.46, "b0a4a8", "8a7a80", 3, 0.1)
    for _ in range(260):
        colour = rgb(("c8321e", "e0701e", "f0a82e", "a8241e", "7a5a1e")[rng.integers(5)])
        cy = 0.44 + 0.13 * rng.random()
        picture = over(
            picture,
            colour * (0.55 + 0.9 * (0.6 - cy) * 3),
            disc(rng.random() * 1.1 - 0.05, cy, 0.012 + 0.025 * rng.random()),
        )
    return water(rng, picture, 0.58, "2a3440", 0.25, 6)


def blue_planet_from_orbit(rng):
    x, y = grid()
    picture = stars(rng, np.zeros((HEIGHT, WIDTH, 3)) + rgb("02030a"), 300)
    distance = np.hypot((x - 0.35) * WIDTH / HEIGHT, y - 1.75)
    inside = np.clip((1.25 - distance) * HEIGHT, 0, 1)
    swirl = fbm(rng, 26, 9, 6)
    ground = gradient(
        np.clip((swirl - 0.35) * 2.8, 0, 1), [(0, "0b2f6e"), (0.5, "2a6fb8"), (0.75, "9cc8e8"), (1, "ffffff")]
    )
    ground *= np.clip(0.25 + 1.3 * (1 - x) * 0.9, 0, 1)[..., None]
    picture = over(picture, rgb("6ab8ff"), np.exp(-np.clip(distance - 1.25, 0, 1) / 0.018) * (1 - 0.7 * x))
    return picture * (1 - inside[..., None]) + ground * inside[..., None]


def violet_nebula(rng):
    picture = np.zeros((HEIGHT, WIDTH, 3)) + rgb("05040f")
    for colour, power in (("7a2ad0", 0.9), ("e0408a", 0.7), ("2a6ae0", 0.6)):
        picture += rgb(colour) * (np.clip(fbm(rng, 4, 5, 6) * 2.2 - 0.95, 0, 1) ** 1.4 * power * 1.6)[..., None]
    return stars(rng, np.clip(picture, 0, 1), 700)


def ring_of_a_solar_eclipse(rng):
    x, y = grid()
    angle = np.arctan2(y - 0.5, (x - 0.5) * WIDTH / HEIGHT)
    rays = 0.6 + 0.4 * np.interp(angle, np.linspace(-np.pi, np.pi, 60), rng.random(60))
    picture = stars(rng, np.zeros((HEIGHT, WIDTH, 3)) + rgb("06070f"), 120)
    picture = over(picture, rgb("ffe6c4"), glow(0.5, 0.5, 0.3, 1.6) * rays * 1.3)
    picture = over(picture, rgb("ffffff"), disc(0.503, 0.497, 0.203))
    return over(picture, rgb("020205"), disc(0.5, 0.5, 0.2))


PICTURES = [
    dusk_over_mountain_ridges,
    pale_morning_over_foggy_hills,
    moon_over_dark_lake,
    red_sunset_over_calm_sea,
    northern_lights_over_spruces,
    golden_dunes_in_low_sun,
    pink_dunes_at_dawn,
    snow_peaks_on_a_clear_day,
    storm_over_grey_sea,
    city_skyline_at_night,
    city_skyline_at_sunrise,
    milky_way_over_a_ridge,
    green_hills_in_summer,
    lavender_rows_at_sunset,
    wheat_rows_under_a_blue_sky,
    road_to_the_horizon_at_dusk,
    turquoise_coast_from_above,
    patchwork_fields_from_above,
    clouds_from_above_at_sunrise,
    misty_teal_forest,
    light_rays_under_water,
    blurred_city_lights,
    coral_to_teal_gradient,
    night_blue_to_violet_gradient,
    red_autumn_trees_by_a_lake,
    blue_planet_from_orbit,
    violet_nebula,
    ring_of_a_solar_eclipse,
]
