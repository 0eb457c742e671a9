"""Password hashes: salted, slow alike for everybody, and bounded."""

import asyncio
import gzip
import threading

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError

from graphql_api.adapters.passwords import COMMON, Passwords
from graphql_api.domain.inputs import MIN_PASSWORD
from graphql_api.domain.secrets import Secret

PASSWORD = Secret("correct horse")


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(time_cost=1, memory_kib=8)


async def test_a_password_matches_its_own_hash_only(passwords: Passwords) -> None:
    hashed = await passwords.hash(PASSWORD)
    assert hashed.startswith("$argon2id$")
    assert PASSWORD.reveal() not in hashed
    assert await passwords.matches(PASSWORD, hashed)
    assert not await passwords.matches(Secret("correct horsf"), hashed)


async def test_two_hashes_of_one_password_differ(passwords: Passwords) -> None:
    assert await passwords.hash(PASSWORD) != await passwords.hash(PASSWORD)


async def test_nobody_matches_whatever_the_password_is(passwords: Passwords) -> None:
    assert not await passwords.matches(PASSWORD, None)
    assert not await passwords.matches(Secret("no password has this hash"), None)


@pytest.mark.parametrize("damaged", ["", "x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA"])
async def test_a_damaged_hash_matches_nothing_and_breaks_nothing(passwords: Passwords, damaged: str) -> None:
    assert not await passwords.matches(PASSWORD, damaged)


async def test_a_hash_made_with_other_parameters_still_matches(passwords: Passwords) -> None:
    older = await Passwords(time_cost=2, memory_kib=16).hash(PASSWORD)
    assert await passwords.matches(PASSWORD, older)


async def test_unknown_and_known_people_cost_the_same_number_of_hashes(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = await passwords.hash(PASSWORD)
    verified: list[str] = []
    verify = passwords._verify  # noqa: SLF001 - the work itself is what is counted

    def counting(password: str, password_hash: str) -> bool:
        verified.append(password_hash.rpartition("$")[0].rpartition("$")[0])
        return verify(password, password_hash)

    monkeypatch.setattr(passwords, "_verify", counting)
    await passwords.matches(Secret("wrong password"), hashed)
    await passwords.matches(Secret("wrong password"), None)
    assert len(verified) == 2
    assert verified[0] == verified[1], "the parameters, which decide the work, are the same"


async def test_what_is_compared_for_nobody_is_a_whole_hash(passwords: Passwords) -> None:
    hasher, nobody = passwords._hasher, passwords._nobody  # noqa: SLF001 - from outside it is like any other
    with pytest.raises(VerifyMismatchError):  # a malformed one would be refused before the work
        hasher.verify(nobody, PASSWORD.reveal())
    assert extract_parameters(nobody) == extract_parameters(await passwords.hash(PASSWORD))


async def test_no_more_than_so_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(time_cost=1, memory_kib=8, at_once=2)
    running, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def watched(_password: str, _hash: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(5)
        with lock:
            running -= 1
        return True

    monkeypatch.setattr(passwords, "_verify", watched)
    await asyncio.gather(*(passwords.matches(PASSWORD, "x") for _ in range(8)))
    assert most == 2


@pytest.mark.parametrize("common", ["1234567890", "qwertyuiop", "QwertyUIOP", " password12 "])
def test_the_most_common_passwords_are_known_in_whatever_case(passwords: Passwords, common: str) -> None:
    assert passwords.is_common(Secret(common))


def test_the_list_has_only_what_is_long_enough_and_in_lower_case(passwords: Passwords) -> None:
    listed = gzip.decompress(COMMON.read_bytes()).decode().split()

    assert len(set(listed)) == len(listed) == 1777
    assert all(len(one) >= MIN_PASSWORD and one == one.lower() for one in listed)
    assert COMMON.with_name("common_passwords.LICENSE").exists()
    assert not passwords.is_common(PASSWORD)
