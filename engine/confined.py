"""Work on files nobody vouches for: in a process of its own, with limits, that can be killed."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.records import Json

CPU_S = 20.0
"""Processor time that files get, in seconds."""

_WALL_PER_CPU = 6
"""How much longer it may take by the clock, on a machine that is busy."""

_MEMORY_BYTES = 1024 * 1024 * 1024
_ROOT = Path(__file__).parent.parent


class NotAnswered(Exception):
    """The process took too long, died, or answered what can't be read."""


def ask_confined(module: str, files: Mapping[str, bytes], cpu_s: float, **more: Json) -> Any:  # noqa: ANN401 -- what the module answers
    """Give files to a module's ``main`` in a process of its own, and get its answer.

    Parameters
    ----------
    cpu_s : processor time in seconds.

    Raises
    ------
    NotAnswered : there is no answer in time.
    """
    request = {
        "files": {name: base64.b64encode(data).decode() for name, data in files.items()},
        "cpu_s": cpu_s,
        **more,
    }
    try:
        done = subprocess.run(  # noqa: S603 -- our own modules
            [sys.executable, "-m", module],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=cpu_s * _WALL_PER_CPU,
            check=True,
            cwd=_ROOT,
        )
        return json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as failure:
        raise NotAnswered(str(failure)) from failure


def asked() -> tuple[dict[str, bytes], dict[str, Any]]:
    """Read in the process what `ask_confined` gave it, and keep to the limits from now on.

    Returns
    -------
    The files, and what was given beside them.
    """
    request: dict[str, Any] = json.load(sys.stdin)
    _limit_this_process(int(request.pop("cpu_s")) + 1)
    files = {name: base64.b64decode(data) for name, data in request.pop("files").items()}
    return files, request


def _limit_this_process(cpu_s: int) -> None:
    try:
        import resource  # noqa: PLC0415 -- not on every system
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
