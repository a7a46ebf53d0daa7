"""A small ray marcher: one sun, lamps, sky light, soft shadows, one reflection, focus.

A scene is a list of (shape, material), light and a camera.
"""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageFilter

from paint import rgb
from shapes import length, unit

EPSILON = 1e-3


def linear(colour):
    """A colour such as `ff8800` as light."""
    return rgb(colour) ** 2.2


@dataclass
class Material:
    """What a shape is made of. `colour` is a colour, or a function from points to colours."""

    colour: object = "cccccc"
    shine: float = 0.15
    rough: float = 40.0
    mirror: float = 0.0
    light: float = 0.0

    def at(self, p):
        if callable(self.colour):
            return self.colour(p)
        return np.broadcast_to(linear(self.colour), p.shape)


@dataclass
class Scene:
    """Shapes, light and a camera."""

    parts: list
    eye: tuple
    target: tuple
    angle: float = 35.0
    roll: float = 0.0
    sun: tuple = (0.5, 0.8, -0.4)
    sunlight: object = ("fff1dc", 2.2)
    above: object = ("bcd0ea", 0.55)
    under: object = ("6a5a50", 0.35)
    background: tuple = ("dfe6ee", "f6efe4")
    haze: float = 0.0
    soft: float = 10.0
    lamps: list = field(default_factory=list)
    focus: object = None
    size: tuple = (512, 384)
    reach: float = 60.0
    exposure: float = 1.0


def nearest(scene, p):
    """The distance to the nearest shape and which it is."""
    distances = np.stack([shape(p) for shape, _ in scene.parts])
    which = distances.argmin(0)
    return distances[which, np.arange(len(p))], which


def nearest_distance(scene, p):
    best = scene.parts[0][0](p)
    for shape, _ in scene.parts[1:]:
        np.minimum(best, shape(p), out=best)
    return best


def march(scene, origin, direction, steps=110):
    """How far each ray goes until it meets a shape; infinite if none."""
    t = np.full(len(origin), 1e-2)
    alive = np.arange(len(origin))
    for _ in range(steps):
        d = nearest_distance(scene, origin[alive] + direction[alive] * t[alive, None])
        t[alive] += d * 0.92
        alive = alive[(d > EPSILON * 0.5) & (t[alive] < scene.reach)]
        if not len(alive):
            break
    return np.where(t < scene.reach, t, np.inf)


def shadow(scene, p, towards, until):
    """How much light comes from `towards`, `until` so far away, with soft edges."""
    t, seen = np.full(len(p), 0.02), np.ones(len(p))
    alive = np.arange(len(p))
    for _ in range(48):
        d = nearest_distance(scene, p[alive] + towards[alive] * t[alive, None])
        seen[alive] = np.minimum(seen[alive], scene.soft * d / t[alive])
        t[alive] += np.clip(d, 0.015, 0.6)
        alive = alive[(seen[alive] > 0.01) & (t[alive] < until[alive])]
        if not len(alive):
            break
    return np.clip(seen, 0, 1)


def backdrop(scene, direction):
    """The background along a direction: its first colour above, its second at the horizon."""
    up = np.clip(direction[:, 1:2] * 1.6, 0, 1) ** 0.6
    return linear(scene.background[0]) * up + linear(scene.background[1]) * (1 - up)


def normals(scene, p):
    tilt = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]]) * EPSILON
    return unit(sum(k * nearest_distance(scene, p + k)[:, None] for k in tilt) + 1e-12)


def shade(scene, origin, direction, bounce=True):
    """The light that comes back along each ray, and how far it went."""
    t = march(scene, origin, direction)
    colour = backdrop(scene, direction)
    hit = np.isfinite(t)
    if not hit.any():
        return colour, t
    way = direction[hit]
    p = origin[hit] + way * t[hit, None]
    n = normals(scene, p)
    _, which = nearest(scene, p)
    out, base = np.zeros_like(p), np.zeros_like(p)
    shine, rough, mirror, own = (np.zeros(len(p)) for _ in range(4))
    for i, (_, material) in enumerate(scene.parts):
        mine = which == i
        if mine.any():
            base[mine] = material.at(p[mine])
            shine[mine], rough[mine] = material.shine, material.rough
            mirror[mine], own[mine] = material.mirror, material.light
    open_sky = np.ones(len(p))
    for step in (0.05, 0.15, 0.35):
        open_sky -= np.clip(step - nearest_distance(scene, p + n * step), 0, step) / step * 0.28
    facing = (n[:, 1:2] + 1) / 2
    ambient = linear(scene.above[0]) * scene.above[1] * facing + linear(scene.under[0]) * scene.under[1] * (1 - facing)
    out += base * ambient * np.clip(open_sky, 0, 1)[:, None]
    sun = np.broadcast_to(unit(scene.sun), p.shape)
    sources = [(sun, linear(scene.sunlight[0]) * scene.sunlight[1], np.full(len(p), 12.0))]
    for place, tint, power in scene.lamps:
        away = np.asarray(place, float) - p
        far = length(away)
        sources.append((away / far[:, None], linear(tint) * (power / (0.05 + far**2))[:, None], far - 0.12))
    for towards, light, until in sources:
        straight = np.clip((n * towards).sum(-1), 0, 1)
        lit = np.zeros(len(p))
        faces = straight > 0
        if faces.any():
            lit[faces] = shadow(scene, (p + n * 3e-3)[faces], towards[faces], until[faces])
        half = unit(towards - way)
        spot = shine * np.clip((n * half).sum(-1), 0, 1) ** rough * (straight > 0)
        out += (base * straight[:, None] + spot[:, None]) * light * lit[:, None]
    out += base * own[:, None]
    edge = np.clip(1 + (n * way).sum(-1), 0, 1) ** 4
    glassy = np.clip(mirror + edge * shine * 1.2, 0, 1)
    if bounce and (glassy > 0.04).any():
        some = glassy > 0.04
        back = way[some] - 2 * (way[some] * n[some]).sum(-1, keepdims=True) * n[some]
        seen, _ = shade(scene, p[some] + n[some] * 5e-3, back, False)
        out[some] = out[some] * (1 - mirror[some, None]) + seen * glassy[some, None]
    if scene.haze:
        thick = np.exp(-t[hit] * scene.haze)[:, None]
        out = out * thick + colour[hit] * (1 - thick)
    colour[hit] = out
    return colour, t


def render(scene, finer=1.2):
    """The picture of a scene, height x width x 3 in 0..1."""
    width, height = (int(side * finer) for side in scene.size)
    eye = np.asarray(scene.eye, float)
    ahead = unit(np.asarray(scene.target, float) - eye)
    side = unit(np.cross(ahead, [0, 1, 0] if abs(ahead[1]) < 0.99 else [0, 0, 1]))
    up = np.cross(side, ahead)
    c, s = np.cos(np.radians(scene.roll)), np.sin(np.radians(scene.roll))
    side, up = c * side + s * up, c * up - s * side
    y, x = np.mgrid[0:height, 0:width]
    span = np.tan(np.radians(scene.angle) / 2)
    px = (x - width / 2 + 0.5) / (max(width, height) / 2) * span
    py = (height / 2 - y - 0.5) / (max(width, height) / 2) * span
    rays = unit(ahead + px.reshape(-1, 1) * side + py.reshape(-1, 1) * up)
    colour, depth = shade(scene, np.broadcast_to(eye, rays.shape), rays)
    colour = colour * scene.exposure
    colour = colour * (2.51 * colour + 0.03) / (colour * (2.43 * colour + 0.59) + 0.14)
    colour = np.clip(colour, 0, 1).reshape(height, width, 3) ** (1 / 2.2)
    image = Image.fromarray((colour * 255 + 0.5).astype(np.uint8))
    if scene.focus:
        image = out_of_focus(image, np.minimum(depth, scene.reach).reshape(height, width), *scene.focus)
    return np.asarray(image.resize(scene.size, Image.LANCZOS)) / 255


def out_of_focus(image, depth, distance, strength):
    """The picture, blurred where it is nearer or farther than `distance`."""
    amount = np.clip(np.abs(1 - distance / depth) * strength, 0, 1)
    amount = np.asarray(Image.fromarray((amount * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(5))) / 255
    levels = [np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), float) for radius in (0, 3, 8, 15)]
    place = amount * (len(levels) - 1)
    mixed = sum(np.clip(1 - np.abs(place - i), 0, 1)[..., None] * level for i, level in enumerate(levels))
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))
