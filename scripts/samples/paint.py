"""Brushes for landscapes: gradients, noise, ridges, glows, water, clouds, trees and houses.

A picture is an array of height x width x 3 in 0..1, as it is shown; places go from 0 to 1, from the top left.
"""

import numpy as np
from PIL import Image, ImageFilter

WIDTH, HEIGHT = 512, 384


def rgb(text):
    """A colour such as `ff8800` as three numbers in 0..1."""
    return np.array([int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)])


def grid(width=WIDTH, height=HEIGHT):
    """x from 0 to 1 and y from 0 (top) to 1 of every pixel."""
    y, x = np.mgrid[0:height, 0:width]
    return x / (width - 1), y / (height - 1)


def gradient(position, stops):
    """Colours along `stops`, a list of (place, colour), at `position`."""
    places = [place for place, _ in stops]
    colours = np.array([rgb(colour) for _, colour in stops])
    return np.stack([np.interp(position, places, colours[:, i]) for i in range(3)], -1)


def noise(rng, rows, columns, width=WIDTH, height=HEIGHT):
    """Smooth noise in 0..1 with so many bumps down and across."""
    small = Image.fromarray(rng.random((rows + 3, columns + 3)).astype(np.float32))
    return np.clip(np.asarray(small.resize((width, height), Image.BICUBIC, box=(1, 1, columns + 2, rows + 2))), 0, 1)


def fbm(rng, rows, columns, octaves=5, width=WIDTH, height=HEIGHT):
    """Noise on noise, each octave twice as fine and half as strong, in about 0..1."""
    total, weight = np.zeros((height, width)), 0.0
    for octave in range(octaves):
        power = 0.5**octave
        total += power * noise(rng, rows * 2**octave, columns * 2**octave, width, height)
        weight += power
    return total / weight


def ridge(rng, bumps, octaves=6, rough=0.5):
    """The height of a ridge at each column, in about -1..1."""
    total, weight = np.zeros(WIDTH), 0.0
    for octave in range(octaves):
        power = rough**octave
        points = rng.random(bumps * 2**octave + 2)
        total += power * np.interp(np.linspace(0, len(points) - 1, WIDTH), np.arange(len(points)), points)
        weight += power
    return (total / weight - 0.5) * 2


def over(picture, colour, mask):
    """`colour` laid over `picture` where `mask` says so."""
    mask = np.clip(mask, 0, 1)[..., None]
    return picture * (1 - mask) + np.asarray(colour) * mask


def below(level, soft=1.5):
    """A mask of what lies under the line `level` (0 is the top), with a soft edge in pixels."""
    _, y = grid()
    return np.clip((y - level) * HEIGHT / soft + 0.5, 0, 1)


def glow(cx, cy, radius, power=1.0):
    """Light that falls off around a point."""
    x, y = grid()
    distance = np.hypot((x - cx) * WIDTH / HEIGHT, y - cy)
    return np.exp(-((distance / radius) ** power))


def disc(cx, cy, radius):
    """A disc with a soft edge."""
    x, y = grid()
    return np.clip((radius - np.hypot((x - cx) * WIDTH / HEIGHT, y - cy)) * HEIGHT / 1.5 + 0.5, 0, 1)


def stars(rng, picture, count, until=1.0):
    """Points of light, most of them faint."""
    picture = picture.copy()
    x, y = rng.integers(1, WIDTH - 1, count), rng.integers(1, int(HEIGHT * until) - 1, count)
    light = rng.random(count) ** 4
    np.maximum.at(picture, (y, x), np.clip(0.25 + light, 0, 1)[:, None] * np.array([0.95, 0.97, 1.0]))
    for column, row in zip(x[light > 0.75], y[light > 0.75]):
        picture[row - 1 : row + 2, column] = np.maximum(picture[row - 1 : row + 2, column], 0.6)
        picture[row, column - 1 : column + 2] = np.maximum(picture[row, column - 1 : column + 2], 0.6)
    return picture


def blur(picture, radius):
    """The picture out of focus."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius))) / 255


def ranges(rng, picture, layers, top, bottom, far, near, bumps=3, height=0.12, rough=0.5):
    """Ridge behind ridge from `top` to `bottom`, their colours going from `far` to `near`."""
    for layer in range(layers):
        t = layer / max(layers - 1, 1)
        level = top + (bottom - top) * t - height * (0.6 + 0.6 * t) * ridge(rng, bumps + layer, rough=rough)
        colour = rgb(far) * (1 - t) + rgb(near) * t
        _, y = grid()
        haze = np.clip((y - level[None, :]) / 0.25, 0, 1)[..., None] * (1 - t) * 0.35
        picture = over(picture, colour * (1 - haze) + rgb(far) * haze * 1.12, below(level[None, :]))
    return picture


def spruces(rng, picture, level, colour, count=70, height=0.16):
    """Spruces as dark shapes along a line."""
    x, y = grid()
    for _ in range(count):
        cx, tall = rng.random(), height * (0.4 + 0.8 * rng.random())
        base = level + 0.015 * rng.random()
        down = np.clip((y - (base - tall)) / tall, 0, 1)
        wide = tall * 0.17 * down * (0.72 + 0.28 * (1 - (down * 9 % 1)))
        inside = (np.abs(x - cx) * WIDTH / HEIGHT < wide) & (y > base - tall) & (y < base + 0.02)
        picture = over(picture, rgb(colour), inside.astype(float))
    return over(picture, rgb(colour), below(np.full((1, WIDTH), level)))


def water(rng, picture, horizon, tint, depth=0.35, waves=6.0):
    """What is above the horizon mirrored in water below it."""
    picture, row = picture.copy(), int(horizon * HEIGHT)
    ripple = fbm(rng, 90, 6, 3) - 0.5
    for y in range(row, HEIGHT):
        away = y - row
        source = np.clip(row - 1 - (away * 0.9 + ripple[y] * waves * (0.5 + away / 40)).astype(int), 0, row - 1)
        picture[y] = picture[source, np.arange(WIDTH)]
    mask = below(np.full((1, WIDTH), horizon), 1)
    return over(picture, rgb(tint), mask * depth)


def clouds(rng, picture, colour, cover=0.5, strength=0.8, rows=5, columns=3, until=0.7):
    """Streaks of cloud that thin out downward."""
    x, y = grid()
    mass = np.clip((fbm(rng, rows, columns, 6) - (1 - cover)) * 4, 0, 1)
    return over(picture, rgb(colour), mass * strength * np.clip((until - y) * 4, 0, 1))


def skyline(rng, picture, base, near, lights, count=34, tall=0.42, lit=0.4):
    """Houses as dark shapes, their windows lit or not."""
    picture = picture.copy()
    for _ in range(count):
        left, wide = int(rng.integers(-10, WIDTH)), int(rng.integers(16, 46))
        top = int((base - tall * (0.25 + 0.75 * rng.random() ** 2)) * HEIGHT)
        right, left = min(left + wide, WIDTH), max(left, 0)
        picture[top : int(base * HEIGHT), left:right] = rgb(near) * (0.75 + 0.5 * rng.random())
        for row in range(top + 5, int(base * HEIGHT) - 4, 7):
            for column in range(left + 3, right - 4, 6):
                if rng.random() < lit:
                    picture[row : row + 3, column : column + 3] = rgb(lights) * (0.55 + 0.45 * rng.random())
    return over(picture, rgb(near) * 0.7, below(np.full((1, WIDTH), base)))
