"""Changes to a bundle that no verifier may accept, chosen by a seed."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable
from typing import Any

from engine.chain import canonical
from engine.proof.algorithms import digest, suite_of
from engine.proof.heads import MANIFEST
from engine.proof.signatures import SigningKey, load_key
from services.settings import Settings
from tests.evidence.conftest import Made

Files = dict[str, bytes]


def mutated(made: Made, seed: int) -> tuple[str, bytes]:
    """Give a bundle with one thing changed, and what was changed.

    A third of the changes leave the manifest as it was; a third put the changed hashes into it; in
    the last third whoever made the change even had the key that signs manifests.
    """
    rnd = random.Random(seed)  # noqa: S311 -- the same changes every time
    files = files_of(made.content if rnd.random() < 0.8 else made.redacted)
    hand = ("outsider", "forger", "insider")[seed % 3]
    names = sorted(n for n in files if hand != "insider" or _is_proof(n))
    changed, how, name = files, "nothing", ""
    while changed == files:
        changed, name = dict(files), rnd.choice(names)
        how = _change(changed, name, rnd, hand) or "nothing"
        if hand != "outsider":
            list_anew(changed, made.suite)
    if hand == "insider":
        _sign(changed, made.key, 2)
    return f"{hand}: {how} in {name}", zipped(changed)


def files_of(bundle: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Files) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def _is_proof(name: str) -> bool:
    """Tell whether a file proves something by itself, whoever signs the manifest."""
    return name.startswith(("cases/", "proofs/", "definitions/"))


def _change(files: Files, name: str, rnd: random.Random, hand: str) -> str | None:
    changes: list[Callable[[Files, str, random.Random], str | None]] = [_flip, _cut]
    if hand == "outsider":
        changes.append(_drop)
    if name.endswith("events.txt"):
        changes += [_edit_event, _drop_event, _swap_events, _rechain]
    if name.endswith((".json", ".sig")):
        changes += [_edit_json] * 4
    return rnd.choice(changes)(files, name, rnd)


def _flip(files: Files, name: str, rnd: random.Random) -> str | None:
    content = bytearray(files[name])
    if not content:
        return None
    place = rnd.randrange(len(content))
    content[place] ^= 1 << rnd.randrange(8)
    files[name] = bytes(content)
    return f"bit of byte {place}"


def _cut(files: Files, name: str, rnd: random.Random) -> str | None:
    content = files[name]
    files[name] = content[: rnd.randrange(len(content))] if content else b"x"
    return "cut"


def _drop(files: Files, name: str, rnd: random.Random) -> str:
    del files[name]
    return "left out"


def _edit_event(files: Files, name: str, rnd: random.Random) -> str:
    lines = files[name].decode().splitlines()
    place = rnd.randrange(len(lines))
    hash_, _, text = lines[place].partition(" ")
    event = json.loads(text)
    member = rnd.choice(("at", "by", "type", "version", "for", "payload"))
    event[member] = {"forged": 1} if member == "payload" else f"forged {event[member]}"
    lines[place] = f"{hash_} {canonical(event)}"
    files[name] = ("\n".join(lines) + "\n").encode()
    return f"{member} of event {place + 1}"


def _drop_event(files: Files, name: str, rnd: random.Random) -> str:
    lines = files[name].decode().splitlines()
    place = rnd.randrange(len(lines) - 1)
    del lines[place]
    files[name] = ("\n".join(lines) + "\n").encode()
    return f"event {place + 1} left out"


def _swap_events(files: Files, name: str, rnd: random.Random) -> str:
    lines = files[name].decode().splitlines()
    place = rnd.randrange(len(lines) - 1)
    lines[place : place + 2] = reversed(lines[place : place + 2])
    files[name] = ("\n".join(lines) + "\n").encode()
    return f"events {place + 1} and {place + 2} swapped"


def _rechain(files: Files, name: str, rnd: random.Random) -> str | None:
    """Forge a sealed event and put every later hash right; the trees alone show it."""
    proof = json.loads(files[name.replace("events.txt", "proof.json")])
    lines = [line.partition(" ") for line in files[name].decode().splitlines()]
    algorithm = lines[0][0].partition(":")[0]
    place = rnd.randrange(proof["register"]["seq"])
    current, forged = bytes(32), []
    for number, (_, _, text) in enumerate(lines):
        event = json.loads(text)
        if number == place:
            event["by"] = f"forged {event['by']}"
        line = canonical(event)
        current = hashlib.new(algorithm, current + line.encode()).digest()
        forged.append(f"{algorithm}:{current.hex()} {line}\n")
    if rnd.random() < 0.5 and place + 1 < len(forged):
        forged = forged[: place + 1]
    files[name] = "".join(forged).encode()
    return f"chain made anew from event {place + 1}"


def _edit_json(files: Files, name: str, rnd: random.Random) -> str | None:
    document = json.loads(files[name])
    places = list(_leaves(document))
    if not places:
        return None
    holder, key, path = rnd.choice(places)
    if name.endswith("proof.json") and holder[key] is None:
        return None
    holder[key] = _other(holder[key], rnd)
    files[name] = f"{canonical(document)}\n".encode()
    return str(path)


def _leaves(value: Any, path: str = "") -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in items:
        here = f"{path}/{key}"
        if isinstance(below, (dict, list)) and below:
            yield from _leaves(below, here)
        else:
            yield value, key, here


def _other(value: Any, rnd: random.Random) -> Any:
    if isinstance(value, bool) or value is None:
        return "forged"
    if isinstance(value, int):
        return value + rnd.choice((-1, 1, 7))
    if isinstance(value, str) and value:
        place = rnd.randrange(len(value))
        digit = rnd.choice([c for c in "0123456789abcdef" if c != value[place]])
        return value[:place] + digit + value[place + 1 :]
    return ["forged"]


def list_anew(files: Files, suite: str) -> None:
    """Put the hashes of all files into the manifest."""
    try:
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = {
            name: digest(suite_of(suite).hash, content)
            for name, content in files.items()
            if name not in ("manifest.json", "manifest.sig")
        }
    except (ValueError, TypeError):
        return
    files["manifest.json"] = f"{canonical(manifest)}\n".encode()


def sign_anew(files: Files, settings: Settings) -> None:
    """Sign the manifest with an office's first key."""
    (file,) = (settings.data / "keys").iterdir()
    private = bytes.fromhex(file.read_text("ascii").strip())
    _sign(files, load_key(file.name.split("-")[1], private), 1)


def _sign(files: Files, key: SigningKey, number: int) -> None:
    signature = key.sign(MANIFEST + files["manifest.json"][:-1])
    files["manifest.sig"] = f"{canonical({'key': number, 'signature': signature})}\n".encode()
