"""What ``./duban check``, ``fmt``, ``test`` and ``lock`` do; needs the test requirements."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LAYERS = (
    *("unit", "store", "scenario", "office_cases", "evidence"),
    *("stateful", "contract", "crash", "browser"),
)
TYPED = ("engine", "services", "api", "tests", "bench")

USAGE = f"""\
./duban check                                    format, lint, types, import contracts
./duban fmt                                      format and mend what can be mended
./duban test [--no-check] [LAYER…] [pytest …]    check, then the tests of these layers, or of all
./duban lock [--upgrade]                         write the requirement locks anew
./duban migration "what changes"                 write a migration from what the tables now say
layers: {" ".join(LAYERS)}"""


def main(args: list[str]) -> int:
    """Run one of the four commands.

    Parameters
    ----------
    args : the command and what follows it.

    Returns
    -------
    The exit code: 0 when everything passed.
    """
    command, rest = (args[0], args[1:]) if args else ("", [])
    if command == "check" and not rest:
        return check()
    if command == "fmt" and not rest:
        return fmt()
    if command == "test" and not {"-h", "--help"} & set(rest):
        return test(rest)
    if command == "lock":
        return lock(rest)
    if command == "migration" and rest:
        from tests.migration import write_migration  # noqa: PLC0415 -- imports every room

        print(write_migration(" ".join(rest)))
        return 0
    print(USAGE)
    return 0 if {"-h", "--help"} & set(rest) else 2


def check() -> int:
    """Run every gate that needs no test, naming each; all run even when one fails."""
    steps = {
        "format": ("ruff", "format", "--check", "--quiet", "."),
        "lint": ("ruff", "check", "--quiet", "."),
        "types": (
            "mypy",
            "--no-error-summary",
            *(name for name in TYPED if (ROOT / name).is_dir()),
        ),
        "imports": ("lint-imports", "--no-logo"),
    }
    failed = [name for name, step in steps.items() if not _passes(name, *step)]
    if failed:
        print(f"check: {', '.join(failed)} failed", flush=True)
    return 1 if failed else 0


def _passes(name: str, tool: str, *args: str) -> bool:
    start = time.monotonic()
    done = subprocess.run(
        [BIN / tool, *args],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = done.returncode == 0
    print(
        f"{name:<8} {'ok' if passed else 'FAILED':<6} {time.monotonic() - start:5.1f} s", flush=True
    )
    if not passed:
        print(done.stdout.rstrip(), flush=True)
    return passed


def fmt() -> int:
    """Mend what ruff can mend, then format."""
    mended = _run("ruff", "check", "--fix", "--quiet", ".")
    return _run("ruff", "format", ".") or mended


def test(args: list[str]) -> int:
    """Check, then run the tests of the named layers, or of all that exist.

    Parameters
    ----------
    args : ``--no-check`` leaves the check out; leading names choose layers; the rest is pytest's,
        and a path under ``tests/`` there replaces the layers.

    Returns
    -------
    The exit code of what failed first, else 0. No test found is a failure.
    """
    wants_check = "--no-check" not in args
    args = [arg for arg in args if arg != "--no-check"]
    named = 0
    while named < len(args) and args[named] in LAYERS:
        named += 1
    folders = [f"tests/{layer}" for layer in args[:named] or LAYERS]
    missing = [folder for folder in folders if not (ROOT / folder).is_dir()]
    if missing and (named or missing == folders):
        print(f"no tests in {', '.join(missing)}")
        return 2
    if wants_check and (failed := check()):
        return failed
    has_paths = any(arg.startswith("tests/") for arg in args[named:])
    chosen = [] if has_paths and not named else [name for name in folders if name not in missing]
    # Each process has servers of its own and takes a gigabyte; a few tests start sooner in one.
    many = ("--numprocesses", "auto", "--maxprocesses", "4", "--dist", "worksteal")
    spread = () if args[named:] else many
    return _run("pytest", *spread, *chosen, *args[named:])


def lock(args: list[str]) -> int:
    """Write both locks from pyproject.toml, with hashes and without addresses.

    Parameters
    ----------
    args : handed on to ``uv pip compile``, such as ``--upgrade``.

    Returns
    -------
    The exit code: 0 when both are written.
    """
    options = (
        *("pip", "compile", "pyproject.toml", "--universal", "--generate-hashes", "--quiet"),
        *("--python-version", "3.11", "--no-header", "--no-annotate", "--no-config"),
        *args,
    )
    main_lock, test_lock = "requirements.lock", "requirements-test.lock"
    return _run("uv", *options, "-o", main_lock) or _run(
        *("uv", *options, "--extra", "test", "--extra", "oidc"),
        *("-c", main_lock, "-o", test_lock),
    )


def _run(tool: str, *args: str) -> int:
    return subprocess.run([BIN / tool, *args], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
