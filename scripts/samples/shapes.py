"""Shapes as distance functions: from points (N x 3) to how far each is from the surface, negative inside.

Lengths are in metres or whatever the scene likes; y is up.
"""

import numpy as np


def length(v):
    return np.sqrt((v * v).sum(-1))


def unit(v):
    v = np.asarray(v, float)
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def sphere(centre, radius):
    centre = np.asarray(centre, float)
    return lambda p: length(p - centre) - radius


def ellipsoid(centre, radii, turn=0.0):
    """A stretched sphere, turned about the upright axis by so many degrees; its distance is a good guess."""
    centre, radii = np.asarray(centre, float), np.asarray(radii, float)
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))

    def distance(p):
        q = p - centre
        q = np.stack([c * q[:, 0] - s * q[:, 2], q[:, 1], s * q[:, 0] + c * q[:, 2]], -1)
        near, slope = length(q / radii), length(q / radii**2)
        return near * (near - 1) / np.maximum(slope, 1e-9)

    return distance


def box(centre, half, corner=0.0, turn=0.0):
    """A box with rounded corners, turned about the upright axis by so many degrees."""
    centre, half = np.asarray(centre, float), np.asarray(half, float) - corner
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))

    def distance(p):
        q = p - centre
        q = np.stack([c * q[:, 0] - s * q[:, 2], q[:, 1], s * q[:, 0] + c * q[:, 2]], -1)
        q = np.abs(q) - half
        return length(np.maximum(q, 0)) + np.minimum(q.max(-1), 0) - corner

    return distance


def floor(height=0.0):
    return lambda p: p[:, 1] - height


def wall(z):
    """A wall behind the scene, facing the viewer."""
    return lambda p: z - p[:, 2]


def torus(centre, ring, tube, axis=1):
    centre, others = np.asarray(centre, float), [i for i in range(3) if i != axis]

    def distance(p):
        q = p - centre
        return np.hypot(np.hypot(q[:, others[0]], q[:, others[1]]) - ring, q[:, axis]) - tube

    return distance


def cylinder(centre, radius, half, corner=0.0, axis=1):
    centre, others = np.asarray(centre, float), [i for i in range(3) if i != axis]

    def distance(p):
        q = p - centre
        a = np.hypot(q[:, others[0]], q[:, others[1]]) - radius + corner
        b = np.abs(q[:, axis]) - half + corner
        return np.minimum(np.maximum(a, b), 0) + np.hypot(np.maximum(a, 0), np.maximum(b, 0)) - corner

    return distance


def lathe(centre, outline, corner=0.0):
    """A closed outline of (radius, height), turned about the upright axis: bottles, cups, bowls."""
    centre, v = np.asarray(centre, float), np.asarray(outline, float)

    def distance(p):
        q = p - centre
        x, y = np.hypot(q[:, 0], q[:, 2]), q[:, 1]
        best, sign = np.full(len(p), 1e9), np.ones(len(p))
        for (ax, ay), (bx, by) in zip(v, np.roll(v, 1, 0)):
            ex, ey, wx, wy = bx - ax, by - ay, x - ax, y - ay
            t = np.clip((wx * ex + wy * ey) / max(ex * ex + ey * ey, 1e-12), 0, 1)
            best = np.minimum(best, (wx - ex * t) ** 2 + (wy - ey * t) ** 2)
            up, down, left = y >= ay, y < by, ex * wy > ey * wx
            sign = np.where((up & down & left) | (~up & ~down & ~left), -sign, sign)
        return sign * np.sqrt(best) - corner

    return distance


def together(*shapes):
    return lambda p: np.min([shape(p) for shape in shapes], 0)


def without(shape, hole):
    return lambda p: np.maximum(shape(p), -hole(p))
