"""All that is measured, in the order in which it is told."""

from __future__ import annotations

from ..bench import Case
from . import eta, fairness, faults, knowledge, money, posts, process, quota, server, speed

ALL: tuple[Case, ...] = (
    *quota.CASES, *posts.CASES, *knowledge.CASES, *fairness.CASES, *process.CASES, *eta.CASES, *faults.CASES,
    *money.CASES, *speed.CASES, *server.CASES,
)
