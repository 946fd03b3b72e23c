"""Processes of their own, forked from a clean one that has everything imported."""

from __future__ import annotations

import multiprocessing
from functools import cache
from multiprocessing.context import ForkServerContext


@cache
def processes() -> ForkServerContext:
    """Give how to start a process that shares nothing with this one but its code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.helpers.town", "api.worker"])
    return context
