"""The form of the secrets that callers hold."""

import copy
import hashlib
import pickle

import pytest

from graphql_api.domain import bearer_tokens
from graphql_api.domain.bearer_tokens import BEARER_TOKEN, INVITATION_CODE, digest, is_well_formed, mint
from graphql_api.domain.secrets import Sealed, Secret

RANDOM = bytes(range(32))


@pytest.mark.parametrize("random", [bytes(32), RANDOM, b"\xff" * 32])
def test_what_is_minted_is_well_formed_and_of_one_length(random: bytes) -> None:
    secret = mint(BEARER_TOKEN, random)

    assert is_well_formed(BEARER_TOKEN, secret)
    assert secret.reveal().startswith("sca_")
    assert len(secret.reveal()) == 53
    assert secret.reveal()[4:].isalnum()


def test_other_random_bytes_make_another_secret() -> None:
    assert mint(BEARER_TOKEN, RANDOM).reveal() != mint(BEARER_TOKEN, RANDOM[::-1]).reveal()


def test_an_invitation_code_is_no_bearer_token() -> None:
    code = mint(INVITATION_CODE, RANDOM)

    assert is_well_formed(INVITATION_CODE, code)
    assert not is_well_formed(BEARER_TOKEN, code)


def test_one_mistyped_character_is_noticed_wherever_it_stands() -> None:
    text = mint(BEARER_TOKEN, RANDOM).reveal()

    for place, character in enumerate(text):
        mistyped = text[:place] + ("x" if character != "x" else "y") + text[place + 1 :]
        assert not is_well_formed(BEARER_TOKEN, Secret(mistyped)), place


@pytest.mark.parametrize(
    "text", ["", "sca_", "x", "sca_" + "0" * 49, "é" * 53, "sca_\ud800" + "0" * 48, "\x00" * 53]
)
def test_what_was_never_minted_is_not_well_formed(text: str) -> None:
    assert not is_well_formed(BEARER_TOKEN, Secret(text))


def test_only_a_digest_is_kept() -> None:
    secret = mint(BEARER_TOKEN, RANDOM)

    assert digest(secret) == hashlib.sha256(secret.reveal().encode()).digest()


def test_the_random_part_is_256_bits() -> None:
    assert bearer_tokens.RANDOM_BYTES * 8 == 256


def test_a_secret_is_not_shown_by_accident() -> None:
    secret = Secret("CANARY-plain")

    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>20}", repr([secret])):
        assert "CANARY" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)
    assert repr(Sealed("envelope")) == "Sealed(***)"
