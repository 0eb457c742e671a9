"""Envelopes open in the row that they were sealed for, and nowhere else."""

import base64

import pytest

from graphql_api.adapters.sealing import Binding, CannotOpen, Keyring, UnusableKey, new_key, parse_keys
from graphql_api.domain.secrets import Sealed, Secret

BINDING = Binding("social_accounts", "access_token", "INSTAGRAM", "17841400000000001", "user:1")
SECRET = "CANARY-sealing-secret"


@pytest.fixture
def ring() -> Keyring:
    return Keyring(parse_keys(new_key("k1")))


@pytest.mark.parametrize("text", [SECRET, "", "é\N{PILE OF POO}", "x" * 4096])
def test_what_is_sealed_opens_again(ring: Keyring, text: str) -> None:
    sealed = ring.seal(Secret(text), BINDING)
    assert sealed.startswith("v1.k1.")
    assert ring.open(sealed, BINDING).reveal() == text


def test_no_two_envelopes_are_alike(ring: Keyring) -> None:
    assert ring.seal(Secret(SECRET), BINDING) != ring.seal(Secret(SECRET), BINDING)


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("table", "facebook_accounts"),
        ("column", "refresh_token"),
        ("platform", "FACEBOOK"),
        ("external_id", "17841400000000002"),
        ("holder", "user:2"),
    ],
)
def test_an_envelope_does_not_open_elsewhere(ring: Keyring, part: str, other: str) -> None:
    sealed = ring.seal(Secret(SECRET), BINDING)
    with pytest.raises(CannotOpen):
        ring.open(sealed, BINDING._replace(**{part: other}))


def test_an_envelope_does_not_open_under_another_key_id() -> None:
    key = parse_keys(new_key("k1"))["k1"]
    sealed = Keyring({"k1": key}).seal(Secret(SECRET), BINDING)
    renamed = Sealed(sealed.replace("v1.k1.", "v1.k2."))
    with pytest.raises(CannotOpen):
        Keyring({"k2": key}).open(renamed, BINDING)


def test_an_envelope_of_an_unknown_key_does_not_open(ring: Keyring) -> None:
    sealed = Keyring(parse_keys(new_key("k9"))).seal(Secret(SECRET), BINDING)
    with pytest.raises(CannotOpen, match="not configured"):
        ring.open(sealed, BINDING)


@pytest.mark.parametrize(
    "damage", ["", "v1", "v1.k1", "v1.k1.", "v1.k1.AAAA", "v1.k1.*", "v2.k1.AAAA", "v1.k1.é"]
)
def test_what_is_no_envelope_does_not_open(ring: Keyring, damage: str) -> None:
    with pytest.raises(CannotOpen):
        ring.open(Sealed(damage), BINDING)


def test_every_changed_byte_is_noticed(ring: Keyring) -> None:
    prefix, _, body = ring.seal(Secret("short"), BINDING).rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(body))
    for position in range(len(raw)):
        changed = raw.copy()
        changed[position] ^= 1
        with pytest.raises(CannotOpen):
            ring.open(Sealed(f"{prefix}.{base64.urlsafe_b64encode(changed).decode()}"), BINDING)


def test_keys_rotate_the_first_seals_and_all_open() -> None:
    old = new_key("k1")
    before = Keyring(parse_keys(old)).seal(Secret(SECRET), BINDING)
    rotated = Keyring(parse_keys(f"{new_key('k2')}\n{old}"))
    assert rotated.open(before, BINDING).reveal() == SECRET
    assert rotated.seal(Secret(SECRET), BINDING).startswith("v1.k2.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "READABLE",
        "k1:READABLE",
        "k1:" + "READABLE" * 8,
        "not an id!:" + base64.b64encode(b"READABLE" * 4).decode(),
        "k1:" + base64.b64encode(b"READABLE" * 3).decode(),
        f"{'k' * 21}:{base64.b64encode(b'READABLE' * 4).decode()}",
        "k1:" + base64.b64encode(b"READABLE" * 4).decode() + " k1:" + base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_a_bad_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UnusableKey) as caught:
        Keyring(parse_keys(text))
    encoded = base64.b64encode(b"READABLE" * 3).decode()[:12]
    assert "READABLE" not in str(caught.value)
    assert encoded not in str(caught.value)


def test_the_repr_of_a_keyring_names_ids_only() -> None:
    key = new_key("k1")
    assert repr(Keyring(parse_keys(key))) == "Keyring(k1)"


def test_the_repr_of_a_secret_and_of_an_envelope_show_nothing(ring: Keyring) -> None:
    secret = Secret(SECRET)
    sealed = ring.seal(secret, BINDING)
    assert SECRET not in f"{secret} {secret!r} {secret!s} {[secret]} {secret:>40}"
    assert sealed[6:] not in f"{sealed!r} {[sealed]}"


def test_a_fingerprint_is_of_one_value_and_one_ring(ring: Keyring) -> None:
    value = ["a", None, {"token": Secret(SECRET)}]
    fingerprint = ring.fingerprint(value)
    assert len(fingerprint) == 32
    assert ring.has_fingerprint(value, fingerprint)
    assert not ring.has_fingerprint(["a", None, {"token": Secret("another")}], fingerprint)
    assert not Keyring(parse_keys(new_key("k1"))).has_fingerprint(value, fingerprint)


def test_a_fingerprint_is_known_under_any_key_of_the_ring() -> None:
    old, new = new_key("k1"), new_key("k2")
    fingerprint = Keyring(parse_keys(old)).fingerprint([SECRET])
    assert Keyring(parse_keys(f"{new} {old}")).has_fingerprint([SECRET], fingerprint)
    assert Keyring(parse_keys(f"{new} {old}")).fingerprint([SECRET]) != fingerprint


def test_an_object_has_no_fingerprint(ring: Keyring) -> None:
    with pytest.raises(TypeError):
        ring.fingerprint([object()])
