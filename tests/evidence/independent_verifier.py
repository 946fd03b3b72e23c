"""A verifier of evidence bundles written from docs/evidence-format.md alone.

It shares no code with the project. Ed25519 comes from `cryptography`, SM3 and SM2 are written out.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SUITE_NUMBERS = {"sha256+ed25519": 1, "sm3+sm2": 2}


class Refused(Exception):
    """Raised when a bundle doesn't hold."""


def need(condition: object, message: str) -> None:
    if not condition:
        raise Refused(message)


# Hashes


def rotate(word: int, by: int) -> int:
    by %= 32
    return (word << by | word >> (32 - by)) & 0xFFFFFFFF


def sm3(message: bytes) -> bytes:
    """GB/T 32905-2016."""
    state = [
        0x7380166F,
        0x4914B2B9,
        0x172442D7,
        0xDA8A0600,
        0xA96F30BC,
        0x163138AA,
        0xE38DEE4D,
        0xB0FB0E4E,
    ]
    padded = message + b"\x80" + bytes((55 - len(message)) % 64)
    padded += (8 * len(message)).to_bytes(8, "big")
    for offset in range(0, len(padded), 64):
        words = [
            int.from_bytes(padded[offset + 4 * i : offset + 4 * i + 4], "big") for i in range(16)
        ]
        for j in range(16, 68):
            x = words[j - 16] ^ words[j - 9] ^ rotate(words[j - 3], 15)
            x ^= rotate(x, 15) ^ rotate(x, 23)
            words.append(x ^ rotate(words[j - 13], 7) ^ words[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            constant = 0x79CC4519 if j < 16 else 0x7A879D8A
            ss1 = rotate((rotate(a, 12) + e + rotate(constant, j)) & 0xFFFFFFFF, 7)
            if j < 16:
                ff, gg = a ^ b ^ c, e ^ f ^ g
            else:
                ff, gg = a & b | a & c | b & c, e & f | ~e & g
            tt1 = (ff + d + (ss1 ^ rotate(a, 12)) + (words[j] ^ words[j + 4])) & 0xFFFFFFFF
            tt2 = (gg + h + ss1 + words[j]) & 0xFFFFFFFF
            a, b, c, d = tt1, a, rotate(b, 9), c
            e, f, g, h = tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17), e, rotate(f, 19), g
        state = [old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True)]
    return b"".join(word.to_bytes(4, "big") for word in state)


def fast_sm3(message: bytes) -> bytes:
    """The same by OpenSSL where it has it; a test compares both."""
    try:
        return hashlib.new("sm3", message).digest()
    except ValueError:
        return sm3(message)


def hashed(algorithm: str, message: bytes) -> bytes:
    if algorithm == "sha256":
        return hashlib.sha256(message).digest()
    need(algorithm == "sm3", f"hash {algorithm}")
    return fast_sm3(message)


def unwritten(text: Any) -> tuple[str, bytes]:
    """Read `algorithm:hex`."""
    need(isinstance(text, str), "a hash is text")
    algorithm, colon, digits = text.partition(":")
    need(colon and algorithm in ("sha256", "sm3"), "a hash names its algorithm")
    return algorithm, unhex(digits, 32)


def unhex(digits: Any, length: int) -> bytes:
    need(isinstance(digits, str) and set(digits) <= set("0123456789abcdef"), "hex")
    need(len(digits) == 2 * length, f"{length} bytes")
    return bytes.fromhex(digits)


def jcs(value: Any) -> bytes:
    return json.dumps(
        value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, allow_nan=False
    ).encode("utf-8")


# Signatures


class Curve:
    p = 2**256 - 2**224 - 2**96 + 2**64 - 1
    a = p - 3
    b = int("28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93", 16)
    n = int("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123", 16)
    g = (
        int("32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7", 16),
        int("BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0", 16),
    )


Point = tuple[int, int] | None


def plus(one: Point, two: Point) -> Point:
    if one is None:
        return two
    if two is None:
        return one
    p = Curve.p
    if one[0] == two[0]:
        if (one[1] + two[1]) % p == 0:
            return None
        slope = (3 * one[0] ** 2 + Curve.a) * pow(2 * one[1], -1, p) % p
    else:
        slope = (one[1] - two[1]) * pow(one[0] - two[0], -1, p) % p
    x = (slope**2 - one[0] - two[0]) % p
    return x, (slope * (one[0] - x) - one[1]) % p


def multiple(k: int, point: Point) -> Point:
    result: Point = None
    while k:
        if k & 1:
            result = plus(result, point)
        point, k = plus(point, point), k >> 1
    return result


@cache
def sm2_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    x, y = int.from_bytes(public[:32], "big"), int.from_bytes(public[32:], "big")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    p, n = Curve.p, Curve.n
    if not (x < p and y < p and y * y % p == (pow(x, 3, p) + Curve.a * x + Curve.b) % p):
        return False
    if not (1 <= r < n and 1 <= s < n) or (r + s) % n == 0:
        return False
    entl = b"\x00\x80"
    parameters = b"".join(v.to_bytes(32, "big") for v in (Curve.a, Curve.b, *Curve.g))
    z = hashed("sm3", entl + b"1234567812345678" + parameters + public)
    e = int.from_bytes(hashed("sm3", z + message), "big")
    point = plus(multiple(s, Curve.g), multiple((r + s) % n, (x, y)))
    return point is not None and (e + point[0]) % n == r


def need_signed(suite: str, public: Any, message: bytes, signature: Any, what: str) -> None:
    raw = unhex(signature, 64)
    if suite == "sm3+sm2":
        need(sm2_holds(unhex(public, 64), message, raw), f"signature of {what}")
        return
    try:
        Ed25519PublicKey.from_public_bytes(unhex(public, 32)).verify(raw, message)
    except InvalidSignature:
        raise Refused(f"signature of {what}") from None


# Trees: paths are walked from the end, which is the top


def power_below(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root_by_inclusion(h: str, leaf: bytes, place: int, size: int, path: list[bytes]) -> bytes:
    turns = []
    while size > 1:
        k = power_below(size)
        turns.append(place >= k)
        place, size = (place - k, size - k) if place >= k else (place, k)
    need(len(path) == len(turns), "length of a path")
    current = hashed(h, b"\x00" + leaf)
    for is_right, sibling in zip(reversed(turns), path, strict=True):
        pair = sibling + current if is_right else current + sibling
        current = hashed(h, b"\x01" + pair)
    return current


def roots_by_consistency(
    h: str, m: int, n: int, path: list[bytes], old_root: bytes
) -> tuple[bytes, bytes]:
    """Give what the roots of the first m and of all n leaves must be."""
    turns = []
    while m != n:
        k = power_below(n)
        turns.append(m > k)
        m, n = (m - k, n - k) if m > k else (m, k)
    steps = list(path)
    if any(turns):
        need(steps, "a path without its start")
        old = new = steps.pop(0)
    else:
        old = new = old_root
    need(len(steps) == len(turns), "length of a path")
    for is_right, step in zip(reversed(turns), steps, strict=True):
        if is_right:
            old, new = hashed(h, b"\x01" + step + old), hashed(h, b"\x01" + step + new)
        else:
            new = hashed(h, b"\x01" + new + step)
    return old, new


def hex_path(path: Any) -> list[bytes]:
    need(isinstance(path, list), "a path is a list")
    return [unhex(step, 32) for step in path]


# The bundle


def whole(value: Any, least: int = 0) -> int:
    need(isinstance(value, int) and not isinstance(value, bool) and value >= least, "whole number")
    return int(value)


def members(value: Any, *names: str) -> Any:
    need(isinstance(value, dict) and sorted(value) == sorted(names), f"members {names}")
    return value


def verify(bundle: bytes, code: str | None = None, fingerprint: str | None = None) -> None:
    """Check a bundle.

    Raises
    ------
    Refused : it doesn't hold.
    """
    try:
        _verify(bundle, code, fingerprint)
    except Refused:
        raise
    except Exception as broken:
        raise Refused(f"unreadable: {broken!r}") from broken


def _verify(bundle: bytes, code: str | None, fingerprint: str | None) -> None:
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        for info in archive.infolist():
            need(info.filename not in files, "two files of one name")
            files[info.filename] = archive.read(info)

    def document(name: str) -> Any:
        need(name in files, f"{name} is missing")
        value = json.loads(files[name].decode("utf-8"))
        need(jcs(value) + b"\n" == files[name], f"{name} is canonical")
        return value

    manifest = members(
        document("manifest.json"),
        "cases",
        "files",
        "format",
        "head",
        "missing",
        "redacted",
        "suite",
    )
    need(manifest["format"] == "duban-evidence/1", "format")
    suite = manifest["suite"]
    need(suite in SUITE_NUMBERS, "suite")
    h = suite.partition("+")[0]
    cases = manifest["cases"]
    need(cases and all(isinstance(c, str) for c in cases), "cases")
    need(cases == sorted(set(cases)), "order of cases")
    check_listing(files, manifest["files"], cases, h)

    heads: list[Any] = []
    if manifest["head"] is None:
        need("manifest.sig" not in files, "a signature before the first tree head")
        need(not any(n.startswith("proofs/") for n in files), "proofs before the first tree head")
        need(code is None and fingerprint is None, "nothing to compare with")
    else:
        keys = document("proofs/keys.json")
        check_keys(keys, suite, h, fingerprint)
        signed = members(document("manifest.sig"), "key", "signature")
        key = keys[whole(signed["key"], 1) - 1]
        message = b"duban manifest 1\x00" + files["manifest.json"][:-1]
        need_signed(suite, key["public"], message, signed["signature"], "the manifest")
        heads = check_heads(document("proofs/heads.json"), keys, suite, h)
        need(heads[-1]["number"] == manifest["head"], "the newest tree head")
        if code is not None:
            check_code(code, heads, suite, h)

    named: set[str] = set()
    explained: set[str] = set()
    for case in cases:
        events, hashes = check_events(case, files, document, is_redacted=manifest["redacted"])
        name = f"cases/{case}/proof.json"
        need(heads or name not in files, "a proof before the first tree head")
        if heads:
            check_proof(case, document(name), hashes, heads, h)
        named |= {
            event["payload"]["definition_sha256"]
            for event in events
            if event["type"] in ("case_started", "case_migrated")
        }
        explained |= check_enclosed(case, files, events, manifest)
    need(explained == set(manifest["missing"]), "what is said to be missing")
    check_definitions(files, named)


def check_events(
    case: str, files: dict[str, bytes], document: Callable[[str], Any], *, is_redacted: bool
) -> tuple[list[Any], list[str]]:
    lines = files[f"cases/{case}/events.txt"].decode("utf-8").split("\n")
    need(lines.pop() == "" and lines, "the end of the events")
    hashes, events = check_chain(case, lines)
    name = f"cases/{case}/personal.json"
    need(not (is_redacted and name in files), "personal values in a redacted bundle")
    algorithm = hashes[0].partition(":")[0]
    check_personal(events, document(name) if name in files else {}, algorithm)
    return events, hashes


def check_listing(files: dict[str, bytes], listed: Any, cases: list[str], h: str) -> None:
    need(set(listed) == set(files) - {"manifest.json", "manifest.sig"}, "the list of files")
    for name, stated in listed.items():
        need(unwritten(stated) == (h, hashed(h, files[name])), f"hash of {name}")
        first, *rest = name.split("/")
        if first == "cases":
            need(len(rest) >= 2 and rest[0] in cases, f"place of {name}")
            inner = rest[1:]
            if inner[0] in ("documents", "attachments"):
                need(len(inner) >= 3 and inner[2], f"place of {name}")
            else:
                need(inner in (["events.txt"], ["personal.json"], ["proof.json"]), "place")
        elif first == "definitions":
            need(len(rest) >= 2 and rest[1], f"place of {name}")
            unhex(rest[0], 32)
        else:
            known = ("proofs/keys.json", "proofs/heads.json", "story.html", "story.pdf")
            need(name in (*known, "README.txt", "verify_bundle.py"), f"place of {name}")


def check_keys(keys: Any, suite: str, h: str, fingerprint: str | None) -> None:
    need(isinstance(keys, list) and keys, "keys")
    prints = []
    for place, key in enumerate(keys):
        members(key, "at", "from_head", "number", "public", "signature", "suite")
        need(key["number"] == place + 1 and key["suite"] == suite, "order of keys")
        before = keys[place - 1] if place else key
        need(not place or whole(key["from_head"]) > before["from_head"], "a key's first head")
        content = {name: value for name, value in key.items() if name != "signature"}
        message = b"duban key 1\x00" + jcs(content)
        need_signed(suite, before["public"], message, key["signature"], f"key {place + 1}")
        print_ = hashed(h, jcs({"public": key["public"], "suite": key["suite"]}))
        prints.append(f"{h}:{print_.hex()}")
    need(fingerprint is None or fingerprint in prints, "the key's fingerprint")


def signed_part(head: Any) -> bytes:
    content = {name: value for name, value in head.items() if name != "signature"}
    return b"duban tree head 1\x00" + jcs(content)


def check_heads(found: Any, keys: list[Any], suite: str, h: str) -> list[Any]:
    members(found, "growth", "heads")
    heads: list[Any] = found["heads"]
    need(heads and len(found["growth"]) == len(heads) - 1, "tree heads and growth")
    names = ("at", "cases", "key", "number", "register", "root", "signature", "size", "suite")
    for head in heads:
        members(head, "access_entry", "access_hash", *names)
        entry, entry_hash = head["access_entry"], head["access_hash"]
        need((entry is None) == (entry_hash is None), "the access log's end")
        need(entry is None or unwritten(entry_hash), "the hash of an access")
        need(head["suite"] == suite, "a tree head's suite")
        need(unwritten(head["root"])[0] == h == unwritten(head["register"])[0], "hash of a root")
        turn = max((k["number"] for k in keys if k["from_head"] <= head["number"]), default=0)
        need(head["key"] == turn and turn > 0, "whose turn it was to sign")
        public = keys[turn - 1]["public"]
        need_signed(suite, public, signed_part(head), head["signature"], "a tree head")
    for old, new, growth in zip(heads, heads[1:], found["growth"], strict=False):
        members(growth, "from", "path", "to")
        need((growth["from"], growth["to"]) == (old["number"], new["number"]), "growth's heads")
        need(old["number"] < new["number"] and old["at"] <= new["at"], "order of tree heads")
        need((old["access_entry"] or "") <= (new["access_entry"] or ""), "order of accesses")
        need(0 < whole(old["size"]) <= whole(new["size"]), "sizes of the log")
        roots = unwritten(old["root"])[1], unwritten(new["root"])[1]
        path = hex_path(growth["path"])
        computed = roots_by_consistency(h, old["size"], new["size"], path, roots[0])
        need(computed == roots, "the log's growth")
    return heads


def check_code(code: str, heads: list[Any], suite: str, h: str) -> None:
    plain = code.upper().replace("-", "").replace(" ", "")
    plain = plain.replace("O", "0").replace("I", "1").replace("L", "1")
    need(len(plain) == 42, "length of the code")
    bits = "".join(f"{ALPHABET.index(digit):05b}" for digit in plain)
    value = int(bits[:200], 2)
    need(value % 1021 == int(bits[200:], 2), "a digit of the code")
    number = int(bits[8:40], 2)
    head = next((one for one in heads if one["number"] == number), None)
    need(head is not None, "the code's tree head")
    short = hashed(h, signed_part(head))[:20]
    expected = bytes([SUITE_NUMBERS[suite]]) + number.to_bytes(4, "big") + short
    need(value.to_bytes(25, "big") == expected, "the code")


def check_chain(case: str, lines: list[str]) -> tuple[list[str], list[Any]]:
    algorithm, current = unwritten(lines[0].split(" ")[0])[0], bytes(32)
    hashes, events = [], []
    for number, line in enumerate(lines, start=1):
        stated, space, text = line.partition(" ")
        current = hashed(algorithm, current + text.encode("utf-8"))
        need(space and unwritten(stated) == (algorithm, current), f"hash of event {number}")
        event = json.loads(text)
        need(event["case"] == case and event["seq"] == number, f"number of event {number}")
        hashes.append(stated)
        events.append(event)
    return hashes, events


def follow(document: Any, pointer: str) -> Any:
    need(pointer.startswith("/"), "a JSON pointer")
    for escaped in pointer[1:].split("/"):
        token = escaped.replace("~1", "/").replace("~0", "~")
        document = document[int(token)] if isinstance(document, list) else document[token]
    return document


def check_personal(events: list[Any], shown: Any, algorithm: str) -> None:
    left = {(seq, pointer) for seq, values in shown.items() for pointer in values}
    need(all(shown.values()), "an event without values")
    for event in events:
        for pointer in event["payload"].get("personal") or []:
            salted = members(follow(event["payload"], pointer), "salted")["salted"]
            place = (str(event["seq"]), pointer)
            if place in left:
                left.remove(place)
                value = members(shown[place[0]][pointer], "json", "salt")
                json.loads(value["json"])
                content = unhex(value["salt"], 16) + value["json"].encode("utf-8")
                need(unwritten(salted) == (algorithm, hashed(algorithm, content)), "a value")
    need(not left, "values that aren't personal")


def check_proof(case: str, proof: Any, hashes: list[str], heads: list[Any], h: str) -> None:
    members(proof, "case", "log", "register")
    need(proof["case"] == case, "whose proof it is")
    newest = heads[-1]
    places = [(entry, True) for entry in proof["log"]]
    if proof["register"] is None:
        need(not places, "in the log but not in the register")
    else:
        places.append((proof["register"], False))
    numbers = [entry["number"] for entry in proof["log"]]
    need(numbers == sorted(set(numbers)), "order of the log")
    need(set(numbers) <= {head["number"] for head in heads}, "tree heads of the log")
    for entry, is_log in places:
        members(entry, "head", "path", "place", "seq", *(["number"] if is_log else []))
        leaf = {"case": case, "head": entry["head"], "seq": entry["seq"]}
        if is_log:
            leaf["number"] = entry["number"]
        size = newest["size" if is_log else "cases"]
        need(whole(entry["place"]) < size, "a leaf's place")
        root = root_by_inclusion(h, jcs(leaf), entry["place"], size, hex_path(entry["path"]))
        need(root == unwritten(newest["root" if is_log else "register"])[1], "a leaf in its tree")
        need(1 <= whole(entry["seq"]) <= len(hashes), "events are missing at the end")
        need(hashes[entry["seq"] - 1] == entry["head"], "the event that was sealed")


def enclosures_of(events: list[Any]) -> set[tuple[str, str]]:
    """Give (folder, hash) of all that the events name."""
    wanted = set()
    for event in events:
        for member in ("docx_sha256", "pdf_sha256", "marked_docx_sha256", "marked_pdf_sha256"):
            if event["payload"].get(member) is not None:
                wanted.add(("documents", event["payload"][member]))
        if event["command"] is not None:
            wanted |= {
                ("attachments", asked[0])
                for function, asked, answer in event["command"]["lookups"]
                if function == "is_attachment" and answer is True
            }
    return wanted


def check_enclosed(
    case: str, files: dict[str, bytes], events: list[Any], manifest: Any
) -> set[str]:
    """Check what is enclosed, and give what is said to be missing of this case."""
    enclosed = set()
    for name, content in files.items():
        parts = name.split("/")
        if parts[0] == "cases" and parts[1] == case and parts[2] in ("documents", "attachments"):
            need(hashlib.sha256(content).digest() == unhex(parts[3], 32), f"hash of {name}")
            enclosed.add((parts[2], parts[3]))
    wanted = enclosures_of(events)
    need(enclosed <= wanted, "a file that no event names")
    if manifest["redacted"]:
        need(not enclosed, "files in a redacted bundle")
        return set()
    erased = any(event["type"] == "personal_data_erased" for event in events)
    missing = {f"{case}/{sha256}" for _, sha256 in wanted - enclosed}
    for place in missing:
        reason = manifest["missing"].get(place)
        need(reason in ("erased", "lost", "altered"), f"{place} is missing")
        need(reason != "erased" or erased, f"{place} was never erased")
    return missing


def check_definitions(files: dict[str, bytes], named: set[str]) -> None:
    sets: dict[str, list[list[str]]] = {}
    for name, content in files.items():
        parts = name.split("/", 2)
        if parts[0] == "definitions":
            file = [parts[2], hashlib.sha256(content).hexdigest()]
            sets.setdefault(parts[1], []).append(file)
    need(set(sets) == named, "the definitions")
    for sha256, listed in sets.items():
        need(hashlib.sha256(jcs(sorted(listed))).hexdigest() == sha256, "a definition's files")
