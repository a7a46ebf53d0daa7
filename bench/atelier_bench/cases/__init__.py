"""All that is measured, in the order in which it is told."""

from __future__ import annotations

from ..bench import Case
from . import fairness, faults, posts, quota, speed

ALL: tuple[Case, ...] = (*quota.CASES, *posts.CASES, *fairness.CASES, *faults.CASES, *speed.CASES)
