"""What a caller may write, and with which code each other value is refused."""

import unicodedata
from collections.abc import Sequence

import pytest

from graphql_api.domain import inputs
from graphql_api.domain.claims import Claim, FacebookLogin, check_claims, check_login
from graphql_api.domain.inputs import Problems
from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.secrets import Secret

PATH = ("input", "value")

# What people try on every field of every API; none of it is an id or a username.
HOSTILE = [
    "'; DROP TABLE users; --",
    "<script>alert(1)</script>",
    "a\x00b",
    "a\ud800b",
    "../../etc/passwd",
    "a\nb",
    "ª",
    "\uff11\uff12",
    "١٢",
    "-1",
    "1e3",
    " 1",
    "1 ",
    "1\n",
]


def codes(problems: Problems) -> list[str]:
    assert all(problem.path == PATH for problem in problems.found)
    return [problem.code.value for problem in problems.found]


def code_of_id(value: str) -> list[str]:
    problems = Problems()
    inputs.check_meta_id(problems, PATH, value)
    return codes(problems)


def code_of_username(value: str) -> list[str]:
    problems = Problems()
    inputs.check_username(problems, PATH, value)
    return codes(problems)


def code_of_access_token(value: str) -> list[str]:
    problems = Problems()
    inputs.check_access_token(problems, PATH, Secret(value))
    return codes(problems)


def code_of_url(value: str) -> list[str]:
    problems = Problems()
    inputs.check_picture_url(problems, PATH, value)
    return codes(problems)


def code_of_text(value: str) -> list[str]:
    problems = Problems()
    inputs.check_text(problems, PATH, value, longest=100)
    return codes(problems)


def code_of_password(value: str) -> list[str]:
    problems = Problems()
    check_password(problems, value)
    return codes(problems)


def check_password(problems: Problems, value: str) -> Secret:
    return inputs.check_password(
        problems,
        PATH,
        Secret(value),
        is_common=lambda one: one.reveal() == "1q2w3e4r5t",
        email="Ada.Lovelace@example.com",
    )


@pytest.mark.parametrize("value", ["1", "17841405902213202", "9" * 20])
def test_an_id_is_one_to_twenty_digits(value: str) -> None:
    assert code_of_id(value) == []


@pytest.mark.parametrize("value", [*HOSTILE, "0", "017841405902213202", "1" * 21, "1" * 100_000])
def test_anything_else_is_no_id(value: str) -> None:
    assert code_of_id(value) == ["INVALID_FORMAT"]


@pytest.mark.parametrize("value", ["a", "Z9", "_", "__", "a.b", "a.b.c", "_._", "A" * 30])
def test_a_username_is_letters_digits_dots_and_underscores(value: str) -> None:
    assert code_of_username(value) == []


@pytest.mark.parametrize("value", [".a", "a.", "a..b", ".", "ä", "a-b", "a b", "a\n", *HOSTILE[:6]])
def test_anything_else_is_no_username(value: str) -> None:
    assert code_of_username(value) == ["INVALID_FORMAT"]


def test_a_username_has_at_most_thirty_characters() -> None:
    assert code_of_username("a" * 31) == ["TOO_LONG"]
    assert code_of_username("a." * 100_000) == ["TOO_LONG"]


@pytest.mark.parametrize("value", [" ", "~", "EAA|x y", "x" * 4096])
def test_an_access_token_is_printable_ascii_of_any_form(value: str) -> None:
    assert code_of_access_token(value) == []


@pytest.mark.parametrize("value", ["a\x00", "a\n", "é", "a\x7f", "\ud800"])
def test_an_access_token_with_anything_else_is_refused(value: str) -> None:
    assert code_of_access_token(value) == ["INVALID_FORMAT"]


def test_an_access_token_has_at_most_4096_characters() -> None:
    assert code_of_access_token("x" * 4097) == ["TOO_LONG"]


@pytest.mark.parametrize(
    "value", ["", "https://a.example/b.jpg?x=1&y=%20", "https://[::1]/a", "https://a.example/" + "x" * 2030]
)
def test_a_picture_url_is_https_or_nothing(value: str) -> None:
    assert code_of_url(value) == []


@pytest.mark.parametrize(
    "value",
    [
        "http://a.example/b.jpg",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "//a.example/b",
        "https://",
        "https:///b",
        "https://me:secret@a.example/",
        "https://a.example/\x00",
        "https://a.example/ b",
        "https://a.example/<script>",
        "https://a.example/'\"",
        "https://[::1/a",
        "https://a.example/\ud800",
        "https://a.example/\n",
    ],
)
def test_any_other_url_is_refused(value: str) -> None:
    assert code_of_url(value) == ["INVALID_FORMAT"]


def test_a_picture_url_has_at_most_2048_characters() -> None:
    assert code_of_url("https://a.example/" + "x" * 2031) == ["TOO_LONG"]


@pytest.mark.parametrize("check", [code_of_id, code_of_username, code_of_access_token, code_of_text])
def test_an_empty_value_is_missing(check: type) -> None:
    assert check("") == ["REQUIRED"]


@pytest.mark.parametrize("value", ["Ada", "Ада Лавлейс", "李", "O'Neil <b> & Co; --", "👩", "x" * 100])
def test_a_line_of_text_is_any_that_can_be_shown(value: str) -> None:
    assert code_of_text(value) == []


@pytest.mark.parametrize(
    "value",
    ["a\x00b", "a\x1b[31m", "a\nb", "a\ud800", "\udfff", "a\u202eb", "a\u200bb", "a\u2028b", "a\ue000"],
)
def test_text_that_cannot_be_shown_or_that_deceives_is_refused(value: str) -> None:
    assert code_of_text(value) == ["INVALID_FORMAT"]


def test_text_of_several_lines_keeps_them_where_they_are_allowed_and_nothing_else_that_is_not_shown() -> None:
    problems = Problems()

    text = inputs.check_text(problems, PATH, " a\r\nb\n", longest=100, lines=True)
    inputs.check_text(problems, PATH, "a\n\x00", longest=100, lines=True)

    assert text == "a\nb"
    assert [problem.code for problem in problems.found] == ["INVALID_FORMAT"]


def test_text_of_white_space_alone_is_missing() -> None:
    assert code_of_text(" \t\u3000") == ["REQUIRED"]


def test_text_that_is_too_long_is_refused() -> None:
    assert code_of_text("x" * 101) == ["TOO_LONG"]


def test_text_is_returned_in_one_normal_form_without_white_space_around_it() -> None:
    text = inputs.check_text(Problems(), PATH, "  e\u0301 ", longest=100)

    assert text == "\u00e9"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", ["REQUIRED"]),
        ("x" * 9, ["TOO_SHORT"]),
        ("x" * 10, []),
        ("x" * 256, []),
        ("x" * 257, ["TOO_LONG"]),
        ("👩" * 256, []),
        ("x" * 1025, ["TOO_LONG"]),
        ("e\u0301" * 9, ["TOO_SHORT"]),
        ("\ud83d" * 10, ["INVALID_FORMAT"]),
    ],
)
def test_a_password_is_10_to_256_characters(value: str, code: list[str]) -> None:
    assert code_of_password(value) == code


def test_a_password_counts_at_most_1024_bytes() -> None:
    # 256 characters of four bytes are just 1024: no password of 256 characters has more.
    assert len(("👩" * 256).encode()) == 1024
    assert code_of_password("👩" * 257) == ["TOO_LONG"]


def test_a_password_is_the_same_however_it_is_typed() -> None:
    composed, combining = "pässwörter", unicodedata.normalize("NFD", "pässwörter")

    assert composed != combining
    assert inputs.normal_password(Secret(combining)).reveal() == composed
    assert check_password(Problems(), combining).reveal() == composed


@pytest.mark.parametrize(
    "value",
    ["1q2w3e4r5t", "ada.lovelace@example.com", "ADA.LOVELACE@example.com", "Ada.Lovelace", "ada.lovelace "],
)
def test_a_common_password_and_the_users_address_are_not_allowed(value: str) -> None:
    assert code_of_password(value) == ["NOT_ALLOWED"]


@pytest.mark.parametrize("value", ["1q2w3e4r5t6", "lovelace@example.com", "example.com", "x ada.lovelace"])
def test_what_only_resembles_one_of_these_is_allowed(value: str) -> None:
    assert code_of_password(value) == []


@pytest.mark.parametrize(
    ("value", "could_be"), [("x", True), ("x" * 256, True), ("x" * 257, False), ("", False)]
)
def test_a_password_that_was_chosen_by_older_rules_can_still_be_somebodys(value: str, could_be: bool) -> None:
    assert inputs.could_be_password(Secret(value)) is could_be


def test_a_problem_never_repeats_the_value() -> None:
    problems = Problems()
    check_password(problems, "x" * 300)
    check_password(problems, "1q2w3e4r5t")
    check_password(problems, "ada.lovelace")
    inputs.check_access_token(problems, PATH, Secret("é" * 30))
    inputs.check_text(problems, PATH, "<b>\x00</b>", longest=100)

    assert not any(
        bad in problem.message
        for problem in problems.found
        for bad in ("xxx", "éé", "<b>", "1q2w", "lovelace")
    )


def claims_of(
    external_ids: Sequence[str], *, platform: Platform = Platform.INSTAGRAM, start: int = 0, **changed: str
) -> list[Claim]:
    values = {"username": "ada", "access_token": "t", **changed}
    name = {Platform.INSTAGRAM: "instagramAccounts", Platform.FACEBOOK_PAGE: "facebookPages"}[platform]
    return [
        Claim(
            start + index,
            SocialKey(platform, one),
            values["username"],
            ("input", name, str(index)),
            "instagramUserId" if platform is Platform.INSTAGRAM else "facebookPageId",
            "username" if platform is Platform.INSTAGRAM else "name",
            profile_picture_url=None,
            access_token=Secret(values["access_token"]),
        )
        for index, one in enumerate(external_ids)
    ]


def test_every_repetition_of_an_account_is_a_duplicate_at_its_own_place() -> None:
    problems = Problems()

    check_claims(problems, claims_of(["1", "2", "1", "1"]))

    assert [(problem.path[2:], problem.code) for problem in problems.found] == [
        (("2", "instagramUserId"), "DUPLICATE"),
        (("3", "instagramUserId"), "DUPLICATE"),
    ]


def test_a_hundred_accounts_are_taken_and_of_a_hundred_and_one_the_items_are_not_looked_at() -> None:
    enough, too_many = Problems(), Problems()

    check_claims(enough, claims_of([str(number) for number in range(1, 101)]))
    check_claims(too_many, claims_of(["bad"] * 101))

    assert enough.found == []
    assert [(one.path, one.code) for one in too_many.found] == [(("input", "instagramAccounts"), "TOO_LONG")]


def test_the_list_that_holds_the_first_account_too_many_is_too_long() -> None:
    problems = Problems()
    instagram = claims_of([str(number) for number in range(1, 100)])
    pages = claims_of(["bad", "2", "3"], platform=Platform.FACEBOOK_PAGE, start=99)

    check_claims(problems, [*instagram, *pages])

    assert [(one.path, one.code) for one in problems.found] == [(("input", "facebookPages"), "TOO_LONG")]


def test_one_id_on_two_platforms_is_no_duplicate() -> None:
    problems = Problems()

    check_claims(problems, [*claims_of(["1"]), *claims_of(["1"], platform=Platform.FACEBOOK_PAGE, start=1)])

    assert problems.found == []


def test_every_problem_of_a_claim_is_told_in_the_order_of_its_fields() -> None:
    problems = Problems()

    (claim,) = claims_of(["x"], username="..", access_token="\n")
    claim.profile_picture_url = "http://a"
    check_claims(problems, [claim])

    assert [problem.path[-1] for problem in problems.found] == [
        "instagramUserId",
        "username",
        "profilePictureUrl",
        "accessToken",
    ]


def test_a_login_may_leave_its_location_out_or_empty_but_not_too_long() -> None:
    for location, code in ((None, []), ("", []), ("progressMeter", []), ("x" * 201, ["TOO_LONG"])):
        problems = Problems()
        check_login(problems, FacebookLogin("1", Secret("t"), location))
        assert [problem.code for problem in problems.found] == code


def test_every_problem_of_a_login_is_told_in_the_order_of_its_fields() -> None:
    problems = Problems()

    check_login(problems, FacebookLogin("'; --", Secret(""), "\x00"))

    assert [(problem.path, problem.code) for problem in problems.found] == [
        (("input", "facebookAccount", "facebookUserId"), "INVALID_FORMAT"),
        (("input", "facebookAccount", "accessToken"), "REQUIRED"),
        (("input", "facebookAccount", "location"), "INVALID_FORMAT"),
    ]
