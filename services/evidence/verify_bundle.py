"""Check an evidence bundle offline: python verify_bundle.py BUNDLE.zip [--code CODE] [--key KEY].

Needs Python 3.11 and, for Ed25519 signatures, the package `cryptography`; SM2 is checked here. It
imports nothing of the system that made the bundle. docs/evidence-format.md says what is checked.

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
HEAD, KEY, MANIFEST = (b"duban %s 1\0" % kind for kind in (b"tree head", b"key", b"manifest"))
FILES = re.compile(
    r"cases/(?P<case>[^/]+)/(events\.txt|personal\.json|proof\.json|(documents|attachments)/(?P<sha256>[0-9a-f]{64})/.+)"
    r"|definitions/[0-9a-f]{64}/.+|proofs/(keys|heads)\.json"
    r"|story\.(html|pdf)|README\.txt|verify_bundle\.py"
)


DOCUMENTS = {"docx_sha256", "pdf_sha256", "marked_docx_sha256", "marked_pdf_sha256"}
WHY_MISSING = {
    "erased": "was erased",
    "lost": "is missing: the office had lost it",
    "altered": "is missing: what the office had in its place is another content",
}


class Fault(Exception):
    """Raised for the first thing that is wrong: where, and what."""


def fail(where: str, what: str) -> NoReturn:
    """Stop at a fault."""
    message = f"{where}: {what}"
    raise Fault(message)


def canonical(value: Any) -> bytes:
    """Write JSON in its one form: keys sorted, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def members(value: Any, names: str, where: str) -> Any:
    """Check that an object has exactly these members."""
    if not isinstance(value, dict) or set(value) != set(names.split()):
        fail(where, f"hasn't the members {names}")
    return value


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


def raw_hex(digits: str) -> bytes:
    """Read hexadecimal digits, the letters small."""
    if not re.fullmatch("[0-9a-f]*", digits):
        fail(digits[:80], "isn't hexadecimal with small letters")
    return bytes.fromhex(digits)


def named_hash(algorithm: str, content: bytes) -> str:
    """Hash, the algorithm written in front."""
    return f"{algorithm}:{hash_bytes(algorithm, content).hex()}"


class Bundle:
    """A bundle's files, and what was found out about them so far."""

    def __init__(self, source: Any, said: list[str]) -> None:
        self.said = said
        with zipfile.ZipFile(source) as archive:
            infos = archive.infolist()
            self.files = {info.filename: b"" for info in infos}
            if len(self.files) != len(infos) or sum(i.file_size for i in infos) > MAX_BYTES:
                fail("zip", "two files of one name, or too large")
            self.files = {info.filename: archive.read(info) for info in infos}
        names = "cases files format head missing redacted suite"
        self.manifest = members(self.json("manifest.json"), names, "manifest.json")
        if self.manifest["format"] != FORMAT or self.manifest["suite"] not in SUITES:
            fail("manifest.json", "unknown format or suite")
        self.suite: str = self.manifest["suite"]
        self.hash = SUITES[self.suite][0]
        self.unexplained = set(self.manifest["missing"])
        self.keys: list[dict[str, Any]] = []
        self.heads: list[dict[str, Any]] = []

    def json(self, name: str) -> Any:
        """Read a file that must be one line of JSON in its one form."""
        value = json.loads(self.files.get(name) or fail(name, "missing"))
        if canonical(value) + b"\n" != self.files[name]:
            fail(name, "isn't canonical JSON")
        return value

    def check(self, codes: list[str], key: str | None) -> None:
        """Check everything, in the order in which one thing rests on another."""
        self.check_files()
        if self.manifest["head"] is not None:
            self.check_keys(key)
            signed = members(self.json("manifest.sig"), "key signature", "manifest.sig")
            content = MANIFEST + self.files["manifest.json"][:-1]
            self.check_signed(content, signed["key"], signed["signature"], "manifest.sig")
            self.check_heads()
        elif codes or key or "proofs/heads.json" in self.files:
            fail("manifest.json", "names no tree head")
        else:
            self.said.append("NOTE no tree head yet: nothing is signed, an end cut off won't show")
        for code in codes:
            self.check_code(code)
        wanted: set[str] = set()
        for case in self.manifest["cases"]:
            wanted |= self.check_case(case)
        if self.unexplained:
            fail(min(self.unexplained), "is said to be missing, but no event names it")
        self.check_definitions(wanted)

    def check_files(self) -> None:
        """Check that the manifest lists exactly the files that are there."""
        listed, cases = self.manifest["files"], self.manifest["cases"]
        there = set(self.files) - {"manifest.json", "manifest.sig"}
        for name in sorted(there ^ set(listed)):
            fail(name, "missing" if name in listed else "isn't in the manifest")
        for name, expected in listed.items():
            if named_hash(self.hash, self.files[name]) != expected:
                fail(name, "differs from its hash in the manifest")
            known = FILES.fullmatch(name)
            if known is None or known["case"] not in (None, *cases):
                fail(name, "has no place in a bundle")
        if cases != sorted(set(cases)) or not cases:
            fail("manifest.json", "the cases aren't in order")
        self.said.append(f"ok   {len(listed)} files as the manifest lists them")

    def check_keys(self, wanted: str | None) -> None:
        """Check that each key is signed by the one before, the first by itself."""
        prints = []
        for number, key in enumerate(self.json("proofs/keys.json"), start=1):
            where = f"key {number}"
            members(key, "at from_head number public signature suite", where)
            self.keys.append(key)
            before = self.keys[max(number - 2, 0)]
            if key["number"] != number or key["suite"] != self.suite:
                fail(where, "has another number or suite")
            if number > 1 and key["from_head"] <= before["from_head"]:
                fail(where, "begins before the key before it")
            content = {name: key[name] for name in key if name != "signature"}
            self.check_signed(KEY + canonical(content), before["number"], key["signature"], where)
            of_print = {"public": key["public"], "suite": key["suite"]}
            prints.append(named_hash(self.hash, canonical(of_print)))
            self.said.append(f"key  {number} {prints[-1]}")
        if wanted is not None and wanted not in prints:
            fail("proofs/keys.json", f"there is no key {wanted}")

    def check_signed(self, content: bytes, number: int, signature: str, where: str) -> None:
        """Check a signature by one of the keys."""
        if not 1 <= number <= len(self.keys):
            fail(where, f"is signed by key {number}, which isn't there")
        if not is_signed(self.suite, self.keys[number - 1]["public"], content, signature):
            fail(where, "the signature is wrong")
        self.said.append(f"ok   {where} is signed by key {number}")

    def check_heads(self) -> None:
        """Check the tree heads' signatures, and that the log grew from each to the next."""
        found = members(self.json("proofs/heads.json"), "growth heads", "proofs/heads.json")
        self.heads = found["heads"]
        if len(found["growth"]) != len(self.heads) - 1:
            fail("proofs/heads.json", "not one proof of growth from each head to the next")
        names = "access_entry access_hash at cases key number register root signature size suite"
        for place, head in enumerate(self.heads):
            where = f"tree head {members(head, names, 'proofs/heads.json')['number']}"
            check_access(head, where)
            number, key = head["number"], head["key"]
            self.check_signed(head_content(head), key, head["signature"], where)
            later = [k["from_head"] for k in self.keys[key : key + 1]]
            if head["suite"] != self.suite or number < self.keys[key - 1]["from_head"]:
                fail(where, f"has another suite, or key {key} wasn't to sign it yet")
            if later and number >= later[0]:
                fail(where, f"key {key} wasn't to sign it any more")
            if place:
                self.check_growth(self.heads[place - 1], head, found["growth"][place - 1], where)
        if self.heads[-1]["number"] != self.manifest["head"]:
            fail("proofs/heads.json", "the newest head isn't the manifest's")

    def check_growth(self, old: Any, new: Any, growth: Any, where: str) -> None:
        """Check that a later log begins with the earlier one."""
        members(growth, "from path to", where)
        expected = self.raw(old["root"]), self.raw(new["root"])
        path = [raw_hex(step) for step in growth["path"]]
        in_order = old["number"] < new["number"] and old["at"] <= new["at"]
        if (old["access_entry"] or "") > (new["access_entry"] or ""):
            fail(where, f"its access log ends before that of head {old['number']}")
        is_between = (growth["from"], growth["to"]) == (old["number"], new["number"])
        sizes = 0 < old["size"] <= new["size"]
        if not (in_order and is_between and sizes) or expected != grown(
            self.hash, (old["size"], new["size"]), path, expected[0]
        ):
            fail(where, f"the log doesn't continue that of head {old['number']}")
        self.said.append(f"ok   {where} continues head {old['number']}")

    def raw(self, text: str) -> bytes:
        """Read a hash of this suite."""
        if not re.fullmatch(f"{self.hash}:[0-9a-f]{{64}}", text):
            fail(text[:80], f"isn't a {self.hash} hash")
        return bytes.fromhex(text.partition(":")[2])

    def check_code(self, text: str) -> None:
        """Compare a head with a code printed of it."""
        plain = re.sub(r"[\s-]", "", text).upper().translate(str.maketrans("OIL", "011"))
        whole = 0
        for digit in plain:
            whole = whole * 32 + DIGITS.index(digit)
        value, check = divmod(whole, 1024)
        if len(plain) != 42 or value % 1021 != check:
            fail(text, "isn't a code: a digit is wrong or missing")
        number = value >> 160 & 0xFFFFFFFF
        for head in self.heads:
            if head["number"] == number:
                hashed = hash_bytes(self.hash, head_content(head))[:20]
                start = bytes([SUITES[self.suite][1]]) + number.to_bytes(4, "big")
                if value != int.from_bytes(start + hashed, "big"):
                    fail(f"tree head {number}", "isn't the one that the code was printed of")
                self.said.append(f"ok   tree head {number} is the one of the code")
                return
        fail(f"tree head {number}", "isn't in the bundle: ask for one that leads up to it")

    def check_case(self, case: str) -> set[str]:
        """Check a case's events and where the tree heads say it stood; give its definitions."""
        name = f"cases/{case}/events.txt"
        *lines, end = (self.files.get(name) or fail(name, "missing")).decode().split("\n")
        if end or not lines:
            fail(name, "is cut off")
        algorithm = lines[0].partition(":")[0]
        hashes, definitions, current = [], set(), bytes(32)
        hidden, shown = 0, self.shown_values(case)
        enclosed: dict[str, str] = {}
        types = set()
        for number, line in enumerate(lines, start=1):
            where = f"{case} event {number}"
            stated, _, text = line.partition(" ")
            event = json.loads(text)
            current = hash_bytes(algorithm, current + text.encode())
            if f"{algorithm}:{current.hex()}" != stated:
                fail(where, "its hash doesn't follow from it and the one before")
            if event["case"] != case or event["seq"] != number:
                fail(where, f"says it is {event['case']} event {event['seq']}")
            hidden += check_personal(event, shown.pop(str(number), {}), algorithm, where)
            enclosed |= named_files(event)
            types.add(event["type"])
            if event["type"] in ("case_started", "case_migrated"):
                definitions.add(event["payload"]["definition_sha256"])
            hashes.append(stated)
        if shown:
            fail(f"cases/{case}/personal.json", f"has values of event {min(shown)}, not there")
        self.said.append(f"ok   {case}: {len(hashes)} events in one chain")
        if hidden:
            self.said.append(f"NOTE {case}: {hidden} personal values are blanked")
        self.check_enclosed(case, enclosed, is_erased="personal_data_erased" in types)
        self.check_sealed(case, hashes)
        return definitions

    def shown_values(self, case: str) -> Any:
        """Give the personal values that the bundle shows."""
        name = f"cases/{case}/personal.json"
        if name in self.files and self.manifest["redacted"]:
            fail(name, "a redacted bundle shows personal values")
        return self.json(name) if name in self.files else {}

    def check_enclosed(self, case: str, named: dict[str, str], *, is_erased: bool) -> None:
        """Check that the documents and attachments that the events name are here, or say why."""
        here = self.enclosed_files(case, named)
        if self.manifest["redacted"]:
            if here:
                fail(min(here), "a redacted bundle has documents or attachments")
            return
        for sha256 in sorted(set(named) - here):
            place, kind = f"{case}/{sha256}", named[sha256].removesuffix("s")
            reason = self.manifest["missing"].get(place)
            if reason not in WHY_MISSING or (reason == "erased" and not is_erased):
                fail(place, f"the {kind} is missing")
            self.unexplained.discard(place)
            self.said.append(f"NOTE {case}: {kind} {sha256} {WHY_MISSING[reason]}")
        self.said.append(f"ok   {case}: {len(here)} of {len(named)} documents and attachments")

    def enclosed_files(self, case: str, named: dict[str, str]) -> set[str]:
        """Check the documents and attachments that are here; give their hashes."""
        here = set()
        for name in self.files:
            found = FILES.fullmatch(name)
            if found is None or found["case"] != case or found["sha256"] is None:
                continue
            here.add(found["sha256"])
            if hashlib.sha256(self.files[name]).hexdigest() != found["sha256"]:
                fail(name, "differs from the hash in its name")
            if named.get(found["sha256"]) != name.split("/")[2]:
                fail(name, "isn't named in any event")
        return here

    def check_sealed(self, case: str, hashes: list[str]) -> None:
        """Check where the newest head and the log say that the case stood."""
        name = f"cases/{case}/proof.json"
        if not self.heads:
            return
        newest, proof = self.heads[-1], members(self.json(name), "case log register", name)
        numbers = [entry["number"] for entry in proof["log"]]
        known = [head["number"] for head in self.heads]
        if proof["case"] != case or numbers != [n for n in known if n in numbers]:
            fail(name, "is of another case, or its entries' heads are missing or out of order")
        for entry in proof["log"]:
            leaf = {"case": case, **{name: entry[name] for name in ("head", "number", "seq")}}
            self.check_leaf(entry, leaf, newest["size"], newest["root"])
            check_event(leaf, hashes, f"tree head {entry['number']}")
        place = proof["register"]
        if place is None:
            if proof["log"]:
                fail(name, "is in the log but not in the register")
            self.said.append(f"NOTE {case}: not sealed by tree head {newest['number']}")
            return
        leaf = {"case": case, "head": place["head"], "seq": place["seq"]}
        self.check_leaf(place, leaf, newest["cases"], newest["register"])
        check_event(leaf, hashes, f"tree head {newest['number']}")
        self.said.append(
            f"ok   {case}: event {leaf['seq']} was its last at tree head {newest['number']}"
        )
        if leaf["seq"] < len(hashes):
            later = len(hashes) - leaf["seq"]
            self.said.append(f"NOTE {case}: {later} events came later and aren't sealed yet")

    def check_leaf(self, entry: Any, leaf: dict[str, Any], size: int, root: str) -> None:
        """Check that a leaf is in a tree."""
        where = f"cases/{leaf['case']}/proof.json"
        members(entry, " ".join({*leaf, "path", "place"} - {"case"}), where)
        path = [raw_hex(step) for step in entry["path"]]
        hashed = hash_bytes(self.hash, b"\0" + canonical(leaf))
        if not 0 <= entry["place"] < size or self.raw(root) != climbed(
            self.hash, hashed, (entry["place"], size), path
        ):
            fail(where, "isn't in the tree that was signed")

    def check_definitions(self, wanted: set[str]) -> None:
        """Check that the definitions are those that the events name."""
        found: dict[str, list[list[str]]] = {}
        for name in self.files:
            if name.startswith("definitions/"):
                _, sha256, file = name.split("/", 2)
                content = hashlib.sha256(self.files[name]).hexdigest()
                found.setdefault(sha256, []).append([file, content])
        for sha256, listed in found.items():
            if hashlib.sha256(canonical(sorted(listed))).hexdigest() != sha256:
                fail(f"definitions/{sha256}", "the files aren't those of this definition")
        for sha256 in set(found) ^ wanted:
            fail(f"definitions/{sha256}", "missing" if sha256 in wanted else "isn't used")
        self.said.append(f"ok   {len(found)} definitions")


def check_access(head: Any, where: str) -> None:
    """Check that a head names the end of the access log, or that there was none."""
    entry, stated = head["access_entry"], head["access_hash"]
    if (entry is None) != (stated is None):
        fail(where, "names the end of the access log by half")
    if entry is not None and not re.fullmatch("(sha256|sm3):[0-9a-f]{64}", stated):
        fail(where, "the hash of the access log is none")


def head_content(head: dict[str, Any]) -> bytes:
    """Give what a tree head's signature and code cover."""
    return HEAD + canonical({name: head[name] for name in head if name != "signature"})


def check_event(sealed: dict[str, Any], hashes: list[str], by: str) -> None:
    """Check that a sealed event is there and is the same."""
    case, seq = sealed["case"], sealed["seq"]
    if seq > len(hashes):
        fail(case, f"{by} sealed {seq} events, but only {len(hashes)} are here")
    if seq < 1 or hashes[seq - 1] != sealed["head"]:
        fail(f"{case} event {seq}", f"differs from what {by} sealed")


def named_files(event: Any) -> dict[str, str]:
    """Give the folder of each document and attachment that an event names."""
    found = {}
    for member in DOCUMENTS & event["payload"].keys():
        if event["payload"][member] is not None:
            found[event["payload"][member]] = "documents"
    for function, arguments, answer in (event["command"] or {"lookups": ()})["lookups"]:
        if function == "is_attachment" and answer is True:
            found[arguments[0]] = "attachments"
    return found


def check_personal(event: Any, shown: Any, algorithm: str, where: str) -> int:
    """Check personal values against their salted hashes; give how many are blanked."""
    pointers = event["payload"].get("personal") or ()
    for pointer in pointers:
        place = event["payload"]
        for part in pointer.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            place = place[int(name)] if isinstance(place, list) else place[name]
        members(place, "salted", f"{where} {pointer}")
        if pointer in shown:
            opened = members(shown[pointer], "json salt", f"{where} {pointer}")
            json.loads(opened["json"])
            content = raw_hex(opened["salt"]) + opened["json"].encode()
            if named_hash(algorithm, content) != place["salted"] or len(opened["salt"]) != 32:
                fail(f"{where} {pointer}", "the value shown isn't the one that was hashed")
    if set(shown) - set(pointers):
        fail(where, f"{min(set(shown) - set(pointers))} isn't a personal value")
    return len(pointers) - len(shown)


def split(size: int) -> int:
    """Give the largest power of two smaller than a size."""
    return 1 << (size - 1).bit_length() - 1


def climbed(algorithm: str, leaf: bytes, where: tuple[int, int], path: list[bytes]) -> bytes:
    """Compute a tree's root from a leaf's hash, its place and the tree's size (RFC 6962, 2.1.1)."""
    place, size = where
    if size == 1:
        return leaf if not path else b""
    *below, step = path
    left = split(size)
    if place < left:
        return hash_bytes(algorithm, b"\1" + climbed(algorithm, leaf, (place, left), below) + step)
    right = climbed(algorithm, leaf, (place - left, size - left), below)
    return hash_bytes(algorithm, b"\1" + step + right)


def grown(
    algorithm: str, sizes: tuple[int, int], path: list[bytes], old_root: bytes | None
) -> tuple[bytes, bytes]:
    """Compute the roots of an earlier and a later tree (RFC 6962, 2.1.2)."""
    former, size = sizes
    if former == size:
        (step,) = path if old_root is None else [old_root, *path]
        return step, step
    *below, step = path
    left = split(size)
    if former <= left:
        old, new = grown(algorithm, (former, left), below, old_root)
        return old, hash_bytes(algorithm, b"\1" + new + step)
    old, new = grown(algorithm, (former - left, size - left), below, None)
    return tuple(hash_bytes(algorithm, b"\1" + step + root) for root in (old, new))  # type: ignore[return-value]  # two


def is_signed(suite: str, public: str, content: bytes, signature: str) -> bool:
    """Check a signature by the suite's algorithm."""
    key, signed = raw_hex(public), raw_hex(signature)
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
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0


def sm2_is_signed(public: bytes, content: bytes, signature: bytes) -> bool:
    """Check an SM2 signature r ‖ s with the usual user name (GB/T 32918.2 and 32918.5)."""
    if len(public) != 64 or len(signature) != 64:
        return False
    x, y, r, s = (int.from_bytes(b, "big") for b in (*halves(public), *halves(signature)))
    t = (r + s) % N
    if (y * y - x**3 - A * x - B) % P or max(x, y) >= P or not 0 < r < N or not 0 < s < N or not t:
        return False
    numbers = b"".join(number.to_bytes(32, "big") for number in (A, B, GX, GY)) + public
    owner = hash_bytes("sm3", b"\0\x80" + b"1234567812345678" + numbers)
    e = int.from_bytes(hash_bytes("sm3", owner + content), "big")
    total = sm2_sum(s, (GX, GY), t, (x, y))
    return total is not None and (e + total[0]) % N == r


def halves(content: bytes) -> tuple[bytes, bytes]:
    """Cut 64 bytes in two."""
    return content[:32], content[32:]


def sm2_sum(s: int, one: Any, t: int, other: Any) -> Any:
    """Add one point s times and another t times."""
    points = (None, one, other, sm2_add(one, other))
    total = None
    for bit in reversed(range(256)):
        total = sm2_add(total, total)
        total = sm2_add(total, points[(s >> bit & 1) + 2 * (t >> bit & 1)])
    return total


def sm2_add(one: Any, other: Any) -> Any:
    """Add two points of the curve; None is the one at infinity."""
    if one is None or other is None:
        return other if one is None else one
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 + A, 2 * y1) if one == other else (y2 - y1, x2 - x1)
    rise = slope[0] * pow(slope[1], -1, P) % P
    x = (rise * rise - x1 - x2) % P
    return x, (rise * (x1 - x) - y1) % P


def verify(source: Any, codes: list[str], key: str | None = None) -> tuple[bool, list[str]]:
    """Check a bundle, giving whether it holds and what was found, a fault last."""
    said: list[str] = []
    try:
        Bundle(source, said).check(codes, key)
    except Fault as fault:
        return False, [*said, f"FAULT {fault}"]
    except Exception as broken:  # whatever can't be read is no evidence
        return False, [*said, f"FAULT malformed: {type(broken).__name__}: {broken}"]
    return True, said


def main(args: list[str]) -> int:
    """Say what was found; 0 when the bundle holds."""
    parser = argparse.ArgumentParser(description="Check an evidence bundle offline.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--code", action="append", default=[])
    parser.add_argument("--key")
    given = parser.parse_args(args)
    holds, said = verify(given.bundle, given.code, given.key)
    sys.stdout.write("\n".join([*said, "OK: the bundle holds" if holds else "NOT OK", ""]))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
