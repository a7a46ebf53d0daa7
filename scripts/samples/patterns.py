"""Patterns for materials: each gives a function from points to colours."""

import numpy as np

from march import linear


def checks(first, second, size):
    """A floor of two colours."""
    a, b = linear(first), linear(second)
    return lambda p: np.where(((np.floor(p[:, 0] / size) + np.floor(p[:, 2] / size)) % 2 > 0)[:, None], a, b)


def planks(first, second, wide=0.5):
    """Boards that run away from the viewer."""
    a, b = linear(first), linear(second)

    def colour(p):
        board = np.floor(p[:, 0] / wide)
        grain = 0.5 + 0.3 * np.sin(board * 12.9) + 0.2 * np.sin(p[:, 0] * 60 + 2 * np.sin(p[:, 2] * 1.7 + board))
        seam = np.abs(p[:, 0] / wide - board - 0.5) > 0.485
        return (a * (1 - grain[:, None]) + b * grain[:, None]) * np.where(seam, 0.45, 1.0)[:, None]

    return colour


def windows(frame, glass, wide=0.5, tall=0.7, lit=None):
    """A front with windows; with `lit`, some of them shine."""
    a, b = linear(frame), linear(glass)

    def colour(p):
        across = p[:, 0] + p[:, 2] * 1.001
        u, v = across / wide, p[:, 1] / tall
        pane = (np.abs(u - np.floor(u) - 0.5) < 0.36) & (np.abs(v - np.floor(v) - 0.5) < 0.36)
        tone = np.where(pane[:, None], b, a)
        if lit:
            on = pane & (np.sin(np.floor(u) * 127.1 + np.floor(v) * 311.7) * 43758.5 % 1 > 0.55)
            tone = np.where(on[:, None], linear(lit) * 3, tone)
        return tone

    return colour


def lemon_slices(places):
    """The cut side of a lemon about each place: rind, pith and segments."""

    def colour(p):
        offsets = np.stack([p[:, [0, 2]] - place for place in places])
        far = np.hypot(offsets[..., 0], offsets[..., 1])
        mine = far.argmin(0), np.arange(len(p))
        radius, angle = far[mine], np.arctan2(offsets[..., 1][mine], offsets[..., 0][mine])
        gap = np.abs((angle * 9 / (2 * np.pi)) % 1 - 0.5) * radius
        flesh = (radius < 0.31) & (radius > 0.03) & (gap < 0.5 * radius - 0.02)
        tone = np.where(flesh[:, None], linear("f2c81e"), linear("fff7d0"))
        return np.where((radius > 0.355)[:, None], linear("ffdc20"), tone)

    return colour
