"""SM2 gives the published signatures, and accepts no other."""

from __future__ import annotations

import random

import pytest

from engine.proof import sm2
from engine.proof.sm2 import RECOMMENDED, Curve

MESSAGE = b"message digest"

EXAMPLE_CURVE = Curve(
    p=0x8542D69E4C044F18E8B92435BF6FF7DE457283915C45517D722EDB8B08F1DFC3,
    a=0x787968B4FA32C3FD2417842E73BBFEFF2F3C848B6831D7E0EC65228B3937E498,
    b=0x63E4C6D3B23B0C849CF84241484BFE48F61D59A5B16BA06E6E12D1DA27C5249A,
    n=0x8542D69E4C044F18E8B92435BF6FF7DD297720630485628D5AE74EE7C32E79B7,
    x=0x421DEBD61B62EAB6746434EBC3CC315E32220B3BADD50BDC4C4E6C147FEDD43D,
    y=0x0680512BCBB42C07D47349D2153B70C4E5D7FDFCBFA36EA1A85841B9E46E09A2,
)
"""The curve of the example in GB/T 32918.2-2016, A.2."""

D = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
PUBLIC = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)


def test_the_example_of_the_recommended_curve_comes_out() -> None:
    # GB/T 32918.5-2017, A.2
    e = 0xF0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640
    k = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21

    assert sm2.public_key(D.to_bytes(32)) == PUBLIC
    assert sm2.sign_with(k, D, e, RECOMMENDED) == SIGNATURE
    assert sm2.verify(PUBLIC, MESSAGE, SIGNATURE)


def test_the_example_of_the_general_part_comes_out() -> None:
    # GB/T 32918.2-2016, A.2
    public = bytes.fromhex(
        "0AE4C7798AA0F119471BEE11825BE46202BB79E2A5844495E97C04FF4DF2548A"
        "7C0240F88F1CD4E16352A73C17B7F16F07353E53A176D684A9FE0C6BB798E857"
    )
    signature = bytes.fromhex(
        "40F1EC59F793D9F49E09DCEF49130D4194F79FB1EED2CAA55BACDB49C4E755D1"
        "6FC6DAC32C5D5CF10C77DFB20F7C2EB667A457872FB09EC56327A67EC7DEEBE7"
    )
    d = 0x128B2FA8BD433C6C068C8D803DFF79792A519A55171B1B650C23661D15897263

    assert sm2.public_key(d.to_bytes(32), EXAMPLE_CURVE) == public
    assert sm2.verify(public, MESSAGE, signature, b"ALICE123@YAHOO.COM", EXAMPLE_CURVE)
    assert not sm2.verify(public, MESSAGE, signature, sm2.USER, EXAMPLE_CURVE)


def test_a_signature_made_by_another_implementation_is_accepted() -> None:
    # Made with GmSSL 3.
    public = bytes.fromhex(
        "808fb7cca9c69f702c6b0f71664782fd04215121f3ac1ee26a5d8750c0b14dd8"
        "d89ac4bfcb7c643697594dde79acde6df462e4fc6105b8235f5806762f8245ec"
    )
    signature = bytes.fromhex(
        "76f90cd0199b6add127637d3dc2364eb76546bc9d0bce78d59c3bf0926937195"
        "347a3e08adebedb8c85d37d670b3401c16f1a6a8cd526fc0f99a6f4060d9fd30"
    )

    assert sm2.verify(public, "督办".encode(), signature)


def test_what_is_signed_verifies_and_nothing_else_does() -> None:
    rnd = random.Random(2026)  # noqa: S311 -- the same keys every time
    for _ in range(5):
        private = sm2.private_key(rnd.randbytes(48))
        public, content = sm2.public_key(private), rnd.randbytes(rnd.randint(0, 200))
        signature = sm2.sign(private, content)
        changed = bytearray(signature)
        changed[rnd.randrange(64)] ^= 1 << rnd.randrange(8)

        assert sm2.verify(public, content, signature)
        assert sm2.sign(private, content) == signature
        assert not sm2.verify(public, content + b"!", signature)
        assert not sm2.verify(public, content, bytes(changed))
        assert not sm2.verify(
            sm2.public_key(sm2.private_key(rnd.randbytes(48))), content, signature
        )


@pytest.mark.parametrize(
    ("public", "signature"),
    [
        (PUBLIC[:-1], SIGNATURE),
        (PUBLIC, SIGNATURE[:-1]),
        (bytes(64), SIGNATURE),
        (PUBLIC[:-1] + b"\0", SIGNATURE),
        (PUBLIC, bytes(32) + SIGNATURE[32:]),
        (PUBLIC, SIGNATURE[:32] + bytes(32)),
        (PUBLIC, RECOMMENDED.n.to_bytes(32) + SIGNATURE[32:]),
        (PUBLIC, SIGNATURE[:32] + RECOMMENDED.n.to_bytes(32)),
        (PUBLIC, SIGNATURE[:32] + (RECOMMENDED.n - int.from_bytes(SIGNATURE[:32])).to_bytes(32)),
        (PUBLIC[:32] + (int.from_bytes(PUBLIC[32:]) + RECOMMENDED.p).to_bytes(33)[1:], SIGNATURE),
    ],
)
def test_keys_off_the_curve_and_numbers_out_of_range_are_refused(
    public: bytes, signature: bytes
) -> None:
    assert not sm2.verify(public, MESSAGE, signature)


def test_a_private_key_needs_more_random_bytes_than_it_has() -> None:
    with pytest.raises(ValueError, match="too few"):
        sm2.private_key(bytes(32))
