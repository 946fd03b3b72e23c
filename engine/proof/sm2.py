"""SM2 signatures (GB/T 32918.2-2016, GM/T 0003.2-2012) with SM3, on whole numbers alone.

Why it is here: docs/decisions, "proof". A key signs once a day and where nobody can measure it, so
the arithmetic needn't run in constant time; don't use it where strangers may ask for signatures.
The nonce comes from the key and the message (RFC 6979 with HMAC-SM3): no random source can betray
the key, and the same message has the same signature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.proof.algorithms import raw_digest

USER = b"1234567812345678"
"""The signer's name that GM/T 0009 prescribes where none is agreed on."""

BYTES = 32

_Jacobian = tuple[int, int, int]
_INFINITY: _Jacobian = (1, 1, 0)


@dataclass(frozen=True, slots=True)
class Curve:
    """y² = x³ + ax + b over the prime field p, with a base point of prime order n."""

    p: int
    a: int
    b: int
    n: int
    x: int
    y: int


RECOMMENDED = Curve(
    p=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF,
    a=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC,
    b=0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
    n=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
    x=0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    y=0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
"""The curve of GB/T 32918.5-2017."""


def private_key(seed: bytes, curve: Curve = RECOMMENDED) -> bytes:
    """Make a private key of random bytes: 40 or more, so that no key is likelier than another.

    Raises
    ------
    ValueError : fewer than 40 bytes.
    """
    if len(seed) < BYTES + 8:
        message = "too few random bytes"
        raise ValueError(message)
    # d = n - 1 has no inverse of 1 + d, so it isn't a key.
    return (1 + int.from_bytes(seed) % (curve.n - 2)).to_bytes(BYTES)


def public_key(private: bytes, curve: Curve = RECOMMENDED) -> bytes:
    """Give the public key, x ‖ y, of a private one."""
    x, y = _affine(_times(int.from_bytes(private), (curve.x, curve.y, 1), curve), curve)
    return x.to_bytes(BYTES) + y.to_bytes(BYTES)


def sign(private: bytes, content: bytes, user: bytes = USER, curve: Curve = RECOMMENDED) -> bytes:
    """Sign, giving r ‖ s."""
    d = int.from_bytes(private)
    e = _message_number(public_key(private, curve), content, user, curve)
    for k in _nonces(d, e, curve):
        signature = sign_with(k, d, e, curve)
        if signature is not None:
            return signature
    raise AssertionError  # the nonces have no end


def sign_with(k: int, d: int, e: int, curve: Curve) -> bytes | None:
    """Sign number `e` with nonce `k`; `None` when another nonce is needed."""
    x, _ = _affine(_times(k, (curve.x, curve.y, 1), curve), curve)
    r = (e + x) % curve.n
    s = pow(1 + d, -1, curve.n) * (k - r * d) % curve.n
    if r == 0 or r + k == curve.n or s == 0:
        return None
    return r.to_bytes(BYTES) + s.to_bytes(BYTES)


def verify(
    public: bytes,
    content: bytes,
    signature: bytes,
    user: bytes = USER,
    curve: Curve = RECOMMENDED,
) -> bool:
    """Tell whether a signature r ‖ s is that of the public key's owner."""
    if len(public) != 2 * BYTES or len(signature) != 2 * BYTES:
        return False
    point = (int.from_bytes(public[:BYTES]), int.from_bytes(public[BYTES:]))
    r, s = int.from_bytes(signature[:BYTES]), int.from_bytes(signature[BYTES:])
    t = (r + s) % curve.n
    if not _is_on(point, curve) or not 0 < r < curve.n or not 0 < s < curve.n or t == 0:
        return False
    sum_ = _add(_times(s, (curve.x, curve.y, 1), curve), _times(t, (*point, 1), curve), curve)
    if sum_[2] == 0:
        return False
    e = _message_number(public, content, user, curve)
    return (e + _affine(sum_, curve)[0]) % curve.n == r


def _message_number(public: bytes, content: bytes, user: bytes, curve: Curve) -> int:
    numbers = (curve.a, curve.b, curve.x, curve.y)
    owner = (len(user) * 8).to_bytes(2) + user
    owner += b"".join(number.to_bytes(BYTES) for number in numbers) + public
    return int.from_bytes(raw_digest("sm3", raw_digest("sm3", owner) + content))


def _nonces(d: int, e: int, curve: Curve) -> Iterator[int]:
    seed = d.to_bytes(BYTES) + (e % curve.n).to_bytes(BYTES)
    key, value = b"\0" * BYTES, b"\1" * BYTES
    for separator in (b"\0", b"\1"):
        key = _hmac(key, value + separator + seed)
        value = _hmac(key, value)
    while True:
        value = _hmac(key, value)
        k = int.from_bytes(value)
        if 0 < k < curve.n:
            yield k
        key = _hmac(key, value + b"\0")
        value = _hmac(key, value)


def _hmac(key: bytes, content: bytes) -> bytes:
    padded = key.ljust(64, b"\0")
    inner = raw_digest("sm3", bytes(byte ^ 0x36 for byte in padded) + content)
    return raw_digest("sm3", bytes(byte ^ 0x5C for byte in padded) + inner)


def _is_on(point: tuple[int, int], curve: Curve) -> bool:
    x, y = point
    is_reduced = x < curve.p and y < curve.p
    return is_reduced and (y * y - x * x * x - curve.a * x - curve.b) % curve.p == 0


def _times(factor: int, point: _Jacobian, curve: Curve) -> _Jacobian:
    low, high = _INFINITY, point
    for bit in range(curve.n.bit_length() - 1, -1, -1):
        # Montgomery's ladder: the same steps whatever the bits are.
        if factor >> bit & 1:
            low, high = _add(low, high, curve), _double(high, curve)
        else:
            low, high = _double(low, curve), _add(low, high, curve)
    return low


def _add(one: _Jacobian, other: _Jacobian, curve: Curve) -> _Jacobian:
    p = curve.p
    (x1, y1, z1), (x2, y2, z2) = one, other
    if z1 == 0 or z2 == 0:
        return other if z1 == 0 else one
    w1, w2 = z1 * z1 % p, z2 * z2 % p
    u, v = x1 * w2 % p, (x2 * w1 - x1 * w2) % p
    s, t = y1 * w2 * z2 % p, (y2 * w1 * z1 - y1 * w2 * z2) % p
    if v == 0:
        return _double(one, curve) if t == 0 else _INFINITY
    square = v * v % p
    cube, middle = square * v % p, u * square % p
    x = (t * t - cube - 2 * middle) % p
    return x, (t * (middle - x) - s * cube) % p, v * z1 * z2 % p


def _double(point: _Jacobian, curve: Curve) -> _Jacobian:
    x, y, z = point
    p = curve.p
    if z == 0 or y == 0:
        return _INFINITY
    square = y * y % p
    middle = 4 * x * square % p
    slope = (3 * x * x + curve.a * pow(z, 4, p)) % p
    doubled = (slope * slope - 2 * middle) % p
    return doubled, (slope * (middle - doubled) - 8 * square * square) % p, 2 * y * z % p


def _affine(point: _Jacobian, curve: Curve) -> tuple[int, int]:
    x, y, z = point
    inverse = pow(z, -1, curve.p)
    square = inverse * inverse % curve.p
    return x * square % curve.p, y * square * inverse % curve.p
