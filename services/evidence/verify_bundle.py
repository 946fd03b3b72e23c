"""Check an evidence bundle offline: python verify_bundle.py BUNDLE.zip [--code CODE] [--key KEY].

Needs Python 3.11 and, for Ed25519 signatures, the package `cryptography`; SM2 is checked here. It
imports nothing of the system that made the bundle: docs/evidence-format.md says what is checked.

--code  a tree head's code that was printed or published before; may be given several times
--key   fingerprint of a key that you know to be the office's, as ``sha256:…`` or ``sm3:…``
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any, NoReturn

FORMAT = "duban-evidence/1"
SUITES = {"sha256+ed25519": ("sha256", 1), "sm3+sm2": ("sm3", 2)}
MAX_BYTES = 4 << 30
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Fault(Exception):
    """Raised for the first thing that is wrong: where, and what."""


def fail(where: str, what: str) -> NoReturn:
    """Stop at a fault."""
    raise Fault(f"{where}: {what}")


def canonical(value: Any) -> bytes:
    """Write JSON in its one form: keys sorted, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def hash_bytes(algorithm: str, content: bytes) -> bytes:
    """Hash by the algorithm's name."""
    if algorithm not in ("sha256", "sm3"):
        fail(algorithm, "unknown hash algorithm")
    try:
        return hashlib.new(algorithm, content).digest()
    except ValueError:
        from cryptography.hazmat.primitives import hashes

        context = hashes.Hash(hashes.SM3())
        context.update(content)
        return context.finalize()


def named_hash(algorithm: str, content: bytes) -> str:
    """Hash, the algorithm written in front."""
    return f"{algorithm}:{hash_bytes(algorithm, content).hex()}"


class Bundle:
    """A bundle's files, and what was found out about them so far."""

    def __init__(self, source: Any, said: list[str]) -> None:
        self.files = read_zip(source)
        self.said = said
        self.manifest = self.json("manifest.json")
        if set(self.manifest) != {"cases", "files", "format", "head", "redacted", "suite"}:
            fail("manifest.json", "other members than the format has")
        if self.manifest["format"] != FORMAT or self.manifest["suite"] not in SUITES:
            fail("manifest.json", "unknown format or suite")
        self.suite: str = self.manifest["suite"]
        self.hash = SUITES[self.suite][0]
        self.keys: list[dict[str, Any]] = []
        self.heads: list[dict[str, Any]] = []

    def json(self, name: str) -> Any:
        """Read a file that must be JSON in its one form, with a line end or without."""
        if name not in self.files:
            fail(name, "missing")
        content = self.files[name]
        value = json.loads(content)
        if canonical(value) + b"\n" != content:
            fail(name, "isn't canonical JSON")
        return value

    def check(self, codes: list[str], key: str | None) -> None:
        """Check everything, in the order in which one thing rests on another."""
        self.check_files()
        if self.manifest["head"] is None:
            self.said.append(
                "NOTE no tree head yet: nothing here is signed, and an end cut off wouldn't show"
            )
            if codes or key:
                fail("manifest.json", "there is no tree head to compare with the code or key")
        else:
            self.check_keys(key)
            self.check_signed(
                b"duban manifest 1\0",
                self.files["manifest.json"][:-1],
                self.json("manifest.sig"),
                "manifest.sig",
            )
            self.check_heads()
            for code in codes:
                self.check_code(code)
        wanted = set()
        for case in self.manifest["cases"]:
            wanted |= self.check_case(case)
        self.check_definitions(wanted)

    def check_files(self) -> None:
        """Check that the manifest lists exactly the files that are there."""
        listed = self.manifest["files"]
        there = set(self.files) - {"manifest.json", "manifest.sig"}
        for name in sorted(there ^ set(listed)):
            fail(name, "missing" if name in listed else "isn't in the manifest")
        for name, expected in listed.items():
            if named_hash(self.hash, self.files[name]) != expected:
                fail(name, "differs from its hash in the manifest")
        cases = self.manifest["cases"]
        if cases != sorted(set(cases)) or not cases:
            fail("manifest.json", "the cases aren't in order")
        place = r"cases/[^/]+/(events\.txt|personal\.json|proof\.json|documents/.+|attachments/.+)"
        known = re.compile(
            rf"{place}|definitions/[0-9a-f]{{64}}/.+|proofs/(keys|heads)\.json|"
            r"story\.(html|pdf)|README\.txt|verify_bundle\.py"
        )
        for name in listed:
            if not known.fullmatch(name) or (
                name.startswith("cases/") and name.split("/")[1] not in cases
            ):
                fail(name, "has no place in a bundle")
        self.said.append(f"ok   {len(listed)} files as the manifest lists them")

    def check_keys(self, wanted: str | None) -> None:
        """Check that each key is signed by the one before; the first by itself."""
        self.keys = self.json("proofs/keys.json")
        for place, key in enumerate(self.keys):
            before = self.keys[place - 1] if place else key
            where = f"proofs/keys.json: key {place + 1}"
            if key["number"] != place + 1 or key["suite"] != self.suite:
                fail(where, "has another number or suite")
            if place and key["from_head"] <= before["from_head"]:
                fail(where, "begins before the key before it")
            content = {name: key[name] for name in ("at", "from_head", "number", "public", "suite")}
            if set(key) != {*content, "signature"}:
                fail(where, "other members than the format has")
            if not is_signed(
                self.suite,
                before["public"],
                b"duban key 1\0" + canonical(content),
                key["signature"],
            ):
                fail(where, "isn't signed by the key before it")
        prints = [
            named_hash(self.hash, canonical({"public": key["public"], "suite": key["suite"]}))
            for key in self.keys
        ]
        if wanted is not None and wanted not in prints:
            fail("proofs/keys.json", f"there is no key {wanted}")
        self.said += [f"key  {n} {print_}" for n, print_ in enumerate(prints, start=1)]

    def check_signed(self, kind: bytes, content: bytes, signed: Any, where: str) -> None:
        """Check a signature by one of the keys."""
        if set(signed) != {"key", "signature"} or not 1 <= signed["key"] <= len(self.keys):
            fail(where, "names no key of the bundle")
        public = self.keys[signed["key"] - 1]["public"]
        if not is_signed(self.suite, public, kind + content, signed["signature"]):
            fail(where, "the signature is wrong")
        self.said.append(f"ok   {where} by key {signed['key']}")

    def check_heads(self) -> None:
        """Check the tree heads' signatures, and that the log grew from each to the next."""
        found = self.json("proofs/heads.json")
        if set(found) != {"growth", "heads"} or len(found["growth"]) != len(found["heads"]) - 1:
            fail("proofs/heads.json", "other members than the format has")
        self.heads = found["heads"]
        names = ("at", "cases", "key", "number", "register", "root", "size", "suite")
        for place, head in enumerate(self.heads):
            where = f"proofs/heads.json: head {head['number']}"
            content = {name: head[name] for name in names}
            if set(head) != {*names, "signature"} or head["suite"] != self.suite:
                fail(where, "other members than the format has")
            key = head["key"]
            if not 1 <= key <= len(self.keys) or head["number"] < self.keys[key - 1]["from_head"]:
                fail(where, "is signed by a key that wasn't to sign it")
            if key < len(self.keys) and head["number"] >= self.keys[key]["from_head"]:
                fail(where, "is signed by a key that wasn't to sign it any more")
            self.check_signed(
                b"duban tree head 1\0",
                canonical(content),
                {"key": key, "signature": head["signature"]},
                where,
            )
            if place:
                self.check_growth(self.heads[place - 1], head, found["growth"][place - 1], where)
        if self.heads[-1]["number"] != self.manifest["head"]:
            fail("proofs/heads.json", "the newest head isn't the manifest's")

    def check_growth(self, old: Any, new: Any, growth: Any, where: str) -> None:
        """Check that a later log begins with the earlier one (RFC 9162, 2.1.4.2)."""
        if (growth["from"], growth["to"]) != (old["number"], new["number"]) or len(growth) != 3:
            fail(where, "the proof of growth is for other heads")
        path = [bytes.fromhex(step) for step in growth["path"]]
        roots = (self.root(old["root"]), self.root(new["root"]))
        if (
            old["number"] >= new["number"]
            or old["at"] > new["at"]
            or not grew(self.hash, old["size"], new["size"], path, roots)
        ):
            fail(where, f"the log doesn't continue that of head {old['number']}")
        self.said.append(f"ok   {where} continues head {old['number']}")

    def root(self, text: str) -> bytes:
        """Read a hash of this suite."""
        algorithm, _, value = text.partition(":")
        if algorithm != self.hash or not re.fullmatch("[0-9a-f]{64}", value):
            fail(text[:80], f"isn't a {self.hash} hash")
        return bytes.fromhex(value)

    def check_code(self, text: str) -> None:
        """Compare a head with a code printed of it."""
        plain = re.sub(r"[\s-]", "", text).upper().translate(str.maketrans("OIL", "011"))
        if len(plain) != 42 or set(plain) - set(DIGITS):
            fail(text, "isn't a code of 42 digits and letters")
        whole = 0
        for digit in plain:
            whole = whole * 32 + DIGITS.index(digit)
        value, check = divmod(whole, 1024)
        if value % 1021 != check:
            fail(text, "a digit of the code is wrong")
        number = value >> 160 & 0xFFFFFFFF
        for head in self.heads:
            if head["number"] == number:
                content = {name: head[name] for name in head if name != "signature"}
                hashed = hash_bytes(self.hash, b"duban tree head 1\0" + canonical(content))[:20]
                start = bytes([SUITES[self.suite][1]]) + number.to_bytes(4, "big")
                if value != int.from_bytes(start + hashed, "big"):
                    fail(f"tree head {number}", "isn't the one that the code was printed of")
                self.said.append(f"ok   tree head {number} is the one of the code")
                return
        fail(f"tree head {number}", "isn't in the bundle: ask for one that leads up to it")

    def check_case(self, case: str) -> set[str]:
        """Check a case's events and where the tree heads say it stood; give its definitions."""
        name = f"cases/{case}/events.txt"
        lines = (
            self.files[name].decode().split("\n") if name in self.files else fail(name, "missing")
        )
        if lines.pop() != "" or not lines:
            fail(name, "is cut off")
        algorithm = lines[0].partition(":")[0]
        hashes, events, current = [], [], bytes(32)
        for number, line in enumerate(lines, start=1):
            stated, _, text = line.partition(" ")
            event = json.loads(text)
            current = hash_bytes(algorithm, current + text.encode())
            if f"{algorithm}:{current.hex()}" != stated:
                fail(
                    f"{case} event {number}",
                    "the hash doesn't follow from it and from the one before",
                )
            if event["case"] != case or event["seq"] != number:
                fail(f"{case} event {number}", f"says it is {event['case']} event {event['seq']}")
            hashes.append(stated)
            events.append(event)
        self.check_personal(case, algorithm, events)
        self.said.append(f"ok   {case}: {len(events)} events in one chain")
        if self.heads:
            self.check_sealed(case, hashes)
        elif f"cases/{case}/proof.json" in self.files:
            fail(f"cases/{case}/proof.json", "without a tree head")
        starts = [e["payload"] for e in events if e["type"] in ("case_started", "case_migrated")]
        return {payload["definition_sha256"] for payload in starts}

    def check_personal(self, case: str, algorithm: str, events: list[Any]) -> None:
        """Check each personal value that is shown against its salted hash in the event."""
        name = f"cases/{case}/personal.json"
        shown = self.json(name) if name in self.files else {}
        if self.manifest["redacted"] and shown:
            fail(name, "a redacted bundle shows personal values")
        hidden = 0
        for event in events:
            there = shown.pop(str(event["seq"]), {})
            for pointer in event["payload"].get("personal") or ():
                value = at_pointer(event["payload"], pointer)
                if set(value) != {"salted"}:
                    fail(f"{case} event {event['seq']}", f"{pointer} isn't salted")
                opened = there.pop(pointer, None)
                hidden += opened is None
                if opened is None:
                    continue
                json.loads(opened["json"])
                content = bytes.fromhex(opened["salt"]) + opened["json"].encode()
                if (
                    set(opened) != {"json", "salt"}
                    or len(bytes.fromhex(opened["salt"])) != 16
                    or named_hash(algorithm, content) != value["salted"]
                ):
                    fail(f"{case} event {event['seq']}", f"{pointer} has another value than it had")
            if there:
                fail(
                    name, f"shows {sorted(there)[0]} of event {event['seq']}, which isn't personal"
                )
        if shown:
            fail(name, f"shows values of event {sorted(shown)[0]}, which isn't there")
        if hidden:
            self.said.append(f"NOTE {case}: {hidden} personal values are blanked")

    def check_sealed(self, case: str, hashes: list[str]) -> None:
        """Check where the newest head and the log say that the case stood."""
        name = f"cases/{case}/proof.json"
        proof = self.json(name)
        newest, place = self.heads[-1], proof["register"]
        if set(proof) != {"case", "log", "register"} or proof["case"] != case:
            fail(name, "is of another case")
        for entry in proof["log"]:
            leaf = {
                "case": case,
                "head": entry["head"],
                "number": entry["number"],
                "seq": entry["seq"],
            }
            self.check_leaf(entry, leaf, newest["size"], newest["root"], f"{name}: log")
            self.check_event(case, entry, hashes, entry["number"])
        numbers = [entry["number"] for entry in proof["log"]]
        if numbers != sorted(numbers) or not set(numbers) <= {h["number"] for h in self.heads}:
            fail(name, "the log's entries aren't in order, or their heads are missing")
        if place is None:
            if proof["log"]:
                fail(name, "is in the log but not in the register")
            self.said.append(
                f"NOTE {case}: began after tree head {newest['number']}, not sealed yet"
            )
            return
        leaf = {"case": case, "head": place["head"], "seq": place["seq"]}
        self.check_leaf(place, leaf, newest["cases"], newest["register"], f"{name}: register")
        self.check_event(case, place, hashes, newest["number"])
        self.said.append(
            f"ok   {case}: event {place['seq']} was its last at tree head {newest['number']}"
        )
        if place["seq"] < len(hashes):
            self.said.append(
                f"NOTE {case}: {len(hashes) - place['seq']} events came later, not sealed yet"
            )

    def check_leaf(self, entry: Any, leaf: Any, size: int, root: str, where: str) -> None:
        """Check that a leaf is in a tree (RFC 9162, 2.1.3.2)."""
        names = {*leaf, "path", "place"} - {"case"}
        path = [bytes.fromhex(step) for step in entry["path"]]
        if set(entry) != names or not is_in(
            self.hash, canonical(leaf), entry["place"], size, path, self.root(root)
        ):
            fail(where, "isn't in the tree that was signed")

    def check_event(self, case: str, sealed: Any, hashes: list[str], number: int) -> None:
        """Check that a sealed event is there and is the same."""
        if sealed["seq"] > len(hashes):
            fail(case, f"tree head {number} sealed {sealed['seq']} events, {len(hashes)} are here")
        if sealed["seq"] < 1 or hashes[sealed["seq"] - 1] != sealed["head"]:
            fail(f"{case} event {sealed['seq']}", f"differs from what tree head {number} sealed")

    def check_definitions(self, wanted: set[str]) -> None:
        """Check that the definitions are those that the events name."""
        found: dict[str, list[list[str]]] = {}
        for name in sorted(self.files):
            if name.startswith("definitions/"):
                _, sha256, file = name.split("/", 2)
                content = hashlib.sha256(self.files[name]).hexdigest()
                found.setdefault(sha256, []).append([file, content])
        for sha256, listed in found.items():
            if hashlib.sha256(canonical(sorted(listed))).hexdigest() != sha256:
                fail(f"definitions/{sha256}", "the files aren't those of this definition")
        if set(found) != wanted:
            fail("definitions", f"not those of the cases: {sorted(set(found) ^ wanted)[0]}")
        self.said.append(f"ok   {len(found)} definitions")


def read_zip(source: Any) -> dict[str, bytes]:
    """Read all files into memory; nothing is unpacked."""
    with zipfile.ZipFile(source) as archive:
        infos = archive.infolist()
        names = [info.filename for info in infos]
        if len(set(names)) != len(names) or sum(info.file_size for info in infos) > MAX_BYTES:
            fail("zip", "two files of one name, or too large")
        return {info.filename: archive.read(info) for info in infos}


def at_pointer(document: Any, pointer: str) -> Any:
    """Give what a JSON pointer leads to."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def is_in(
    algorithm: str, leaf: bytes, place: int, size: int, path: list[bytes], root: bytes
) -> bool:
    """Climb from a leaf to the root."""
    if not 0 <= place < size:
        return False
    current, last = hash_bytes(algorithm, b"\0" + leaf), size - 1
    for step in path:
        if last == 0:
            return False
        if place % 2 or place == last:
            current = hash_bytes(algorithm, b"\1" + step + current)
            while place and not place % 2:
                place, last = place >> 1, last >> 1
        else:
            current = hash_bytes(algorithm, b"\1" + current + step)
        place, last = place >> 1, last >> 1
    return last == 0 and current == root


def grew(
    algorithm: str, former: int, size: int, path: list[bytes], roots: tuple[bytes, bytes]
) -> bool:
    """Climb to the roots of two trees at once."""
    if not 0 < former <= size or (former == size and (path or roots[0] != roots[1])):
        return False
    if former == size:
        return True
    steps = path if former & (former - 1) else [roots[0], *path]
    if not steps:
        return False
    place, last = former - 1, size - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            old, new = (hash_bytes(algorithm, b"\1" + step + one) for one in (old, new))
            while place and not place % 2:
                place, last = place >> 1, last >> 1
        else:
            new = hash_bytes(algorithm, b"\1" + new + step)
        place, last = place >> 1, last >> 1
    return last == 0 and (old, new) == roots


def is_signed(suite: str, public: str, content: bytes, signature: str) -> bool:
    """Check a signature by the suite's algorithm."""
    key, signed = bytes.fromhex(public), bytes.fromhex(signature)
    if suite == "sm3+sm2":
        return sm2_is_signed(key, content, signed)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signed, content)
    except InvalidSignature:
        return False
    return True


P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)


def sm2_is_signed(public: bytes, content: bytes, signature: bytes) -> bool:
    """Check an SM2 signature r ‖ s (GB/T 32918.2, 32918.5) under the usual name."""
    if len(public) != 64 or len(signature) != 64:
        return False
    point = (int.from_bytes(public[:32], "big"), int.from_bytes(public[32:], "big"))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    t = (r + s) % N
    on_curve = (point[1] ** 2 - point[0] ** 3 - A * point[0] - B) % P == 0 and max(point) < P
    if not on_curve or not 0 < r < N or not 0 < s < N or t == 0:
        return False
    user = b"1234567812345678"
    numbers = b"".join(number.to_bytes(32, "big") for number in (A, B, *G)) + public
    owner = hash_bytes("sm3", (8 * len(user)).to_bytes(2, "big") + user + numbers)
    e = int.from_bytes(hash_bytes("sm3", owner + content), "big")
    total = sm2_add(sm2_times(s, G), sm2_times(t, point))
    return total is not None and (e + total[0]) % N == r


def sm2_times(factor: int, point: Any) -> Any:
    """Add a point to itself a number of times."""
    total = None
    for bit in bin(factor)[2:]:
        total = sm2_add(total, total)
        total = sm2_add(total, point) if bit == "1" else total
    return total


def sm2_add(one: Any, other: Any) -> Any:
    """Add two points; None is the one at infinity."""
    if one is None or other is None:
        return other if one is None else one
    if one[0] == other[0] and (one[1] + other[1]) % P == 0:
        return None
    if one == other:
        slope = (3 * one[0] ** 2 + A) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def verify(source: Any, codes: list[str], key: str | None = None) -> tuple[bool, list[str]]:
    """Check a bundle, giving whether it holds and what was found, the fault last."""
    said: list[str] = []
    try:
        Bundle(source, said).check(codes, key)
    except Fault as fault:
        said.append(f"FAULT {fault}")
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        OSError,
        RecursionError,
        TypeError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        zipfile.BadZipFile,
        EOFError,
    ) as broken:
        said.append(f"FAULT malformed: {type(broken).__name__}: {broken}")
    return not said[-1].startswith("FAULT"), said


def main(args: list[str]) -> int:
    """Say what was found; 0 when the bundle holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--code", action="append", default=[])
    parser.add_argument("--key")
    given = parser.parse_args(args)
    holds, said = verify(given.bundle, given.code, given.key)
    sys.stdout.write("\n".join([*said, "OK: the bundle holds" if holds else "NOT OK", ""]))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
