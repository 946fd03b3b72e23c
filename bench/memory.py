"""Memory of the embedded process after the demonstration's year."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure

TARGET_MB = 200.0
_KB_PER_MB = 1024.0

_PROGRAM = """
import sys
from pathlib import Path
from api.app import create_app
from services.demo.year import play_year
from services.office import build_office
from services.settings import Settings

settings = Settings(data=Path(sys.argv[1]), definitions=Path(sys.argv[2]))
play_year(settings)
office = build_office(settings)
client = create_app(office).test_client()
client.get("/api/v1/health")
client.get("/api/v1/openapi.json")
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmRSS")))
"""


def memory() -> list[Figure]:
    """Measure the resident memory of one process that played the year and serves the API."""
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory(prefix="duban-bench-") as folder:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, folder, str(root / "bpmn")],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
    resident_mb = int(done.stdout.split()[-1]) / _KB_PER_MB
    return [Figure(name="memory_after_demo", value=resident_mb, unit="MB", target=TARGET_MB)]
