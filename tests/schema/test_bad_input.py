"""Bad input of every kind is an `InvalidInput` with its path; nothing is written, and nothing breaks."""

import json
import re
from typing import Any

import pytest

from tests import operations
from tests.api import Api, facebook_account, facebook_page, instagram_account, paths
from tests.canaries import PASSWORD
from tests.database import Database

SQL, HTML, NUL = "'; DROP TABLE users; --", "<script>alert(1)</script>", "a\x00b"

INSTAGRAM = [
    *(
        ("instagramUserId", value, "INVALID_FORMAT")
        for value in (SQL, HTML, NUL, "x", "-1", "1\n", "\uff11", "1" * 21, "0", "01")
    ),
    ("instagramUserId", "", "REQUIRED"),
    *(("username", value, "INVALID_FORMAT") for value in (SQL, HTML, NUL, ".a", "a.", "a..b", "ä", "a b")),
    ("username", "", "REQUIRED"),
    ("username", "a" * 31, "TOO_LONG"),
    *(
        ("profilePictureUrl", value, "INVALID_FORMAT")
        for value in (
            "http://a.example/",
            "javascript:alert(1)",
            SQL,
            "https://a/" + HTML,
            "https://a/\x00",
            "https://",
        )
    ),
    ("profilePictureUrl", "https://a.example/" + "x" * 2031, "TOO_LONG"),
    ("accessToken", "", "REQUIRED"),
    *(("accessToken", value, "INVALID_FORMAT") for value in (NUL, "é", "a\n", "👩")),
    ("accessToken", "x" * 4097, "TOO_LONG"),
]
PAGE = [
    *(("facebookPageId", value, "INVALID_FORMAT") for value in (SQL, HTML, NUL, "0", "01", "1" * 21)),
    ("facebookPageId", "", "REQUIRED"),
    *(("name", value, "INVALID_FORMAT") for value in (NUL, "a\u202eb")),
    ("name", "", "REQUIRED"),
    ("name", " ", "REQUIRED"),
    ("name", "a" * 76, "TOO_LONG"),
    ("profilePictureUrl", "http://a.example/", "INVALID_FORMAT"),
    ("accessToken", "", "REQUIRED"),
    ("accessToken", "é", "INVALID_FORMAT"),
]
FACEBOOK = [
    *(("facebookUserId", value, "INVALID_FORMAT") for value in (SQL, HTML, NUL, "1" * 21)),
    ("facebookUserId", "", "REQUIRED"),
    ("accessToken", "", "REQUIRED"),
    ("accessToken", NUL, "INVALID_FORMAT"),
    ("accessToken", "x" * 4097, "TOO_LONG"),
    ("location", NUL, "INVALID_FORMAT"),
    ("location", "a\u202eb", "INVALID_FORMAT"),
    ("location", "x" * 201, "TOO_LONG"),
]


async def test_each_bad_value_of_an_instagram_account_is_told_at_its_place(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()

    for name, value, code in INSTAGRAM:
        # when
        result = await ada.mutate(
            operations.CONNECT,
            facebookAccount=facebook_account(api.canaries),
            instagramAccounts=[
                instagram_account(api.canaries, "1"),
                instagram_account(api.canaries, "2", **{name: value}),
            ],
        )

        # then
        assert paths(result["errors"]) == [(f"instagramAccounts.1.{name}", code)], (name, value[:40])
    assert await database.everything() == before


async def test_each_bad_value_of_a_facebook_page_is_told_at_its_place(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()

    for name, value, code in PAGE:
        # when
        result = await ada.mutate(
            operations.CONNECT,
            facebookAccount=facebook_account(api.canaries),
            facebookPages=[
                facebook_page(api.canaries, "1"),
                facebook_page(api.canaries, "2", **{name: value}),
            ],
        )

        # then
        assert paths(result["errors"]) == [(f"facebookPages.1.{name}", code)], (name, value[:40])
    assert await database.everything() == before


async def test_each_bad_value_of_a_facebook_account_is_told_at_its_place(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()

    for name, value, code in FACEBOOK:
        # when
        result = await ada.mutate(
            operations.CONNECT, facebookAccount={**facebook_account(api.canaries), name: value}
        )

        # then
        assert paths(result["errors"]) == [(f"facebookAccount.{name}", code)], (name, value[:40])
    assert await database.everything() == before


async def test_all_problems_are_told_at_once_in_input_order(api: Api, database: Database) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()
    bad = {"instagramUserId": "x", "username": "", "profilePictureUrl": "ftp://a", "accessToken": "é"}

    # when
    result = await ada.mutate(
        operations.CONNECT,
        workspaceId="nonsense",
        instagramAccounts=[instagram_account(api.canaries, "1"), bad, instagram_account(api.canaries, "1")],
        facebookAccount={"facebookUserId": SQL, "accessToken": "", "location": NUL},
    )

    # then
    assert paths(result["errors"]) == [
        ("facebookAccount.facebookUserId", "INVALID_FORMAT"),
        ("facebookAccount.accessToken", "REQUIRED"),
        ("facebookAccount.location", "INVALID_FORMAT"),
        ("instagramAccounts.1.instagramUserId", "INVALID_FORMAT"),
        ("instagramAccounts.1.username", "REQUIRED"),
        ("instagramAccounts.1.profilePictureUrl", "INVALID_FORMAT"),
        ("instagramAccounts.1.accessToken", "INVALID_FORMAT"),
        ("instagramAccounts.2.instagramUserId", "DUPLICATE"),
        ("workspaceId", "NOT_FOUND"),
    ]
    assert all(error["path"][0] == "input" and error["message"] for error in result["errors"])
    assert await database.everything() == before


async def test_a_hundred_accounts_are_taken_and_a_hundred_and_one_are_not(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    ids = [str(number) for number in range(1, 102)]
    before = await database.everything()

    # when
    refused = await ada.connect(*ids)

    # then
    assert paths(refused["errors"]) == [("instagramAccounts", "TOO_LONG")]
    assert await database.everything() == before

    # when
    taken = await ada.connect(*ids[:100])

    # then
    assert len(taken["connected"]) == 100


EMAILS = [
    ("", "REQUIRED"),
    (" ", "REQUIRED"),
    ("no address", "INVALID_FORMAT"),
    ("a@b", "INVALID_FORMAT"),
    ("a@@b.example", "INVALID_FORMAT"),
    ("a\x00@b.example", "INVALID_FORMAT"),
    ("a\r\nBcc: x@b.example", "INVALID_FORMAT"),
    (SQL, "INVALID_FORMAT"),
    (f"{HTML}@b.example", "INVALID_FORMAT"),
    ("a@" + "b" * 250 + ".example", "TOO_LONG"),
    ("a" * 65 + "@b.example", "TOO_LONG"),
]
PASSWORDS = [
    ("", "REQUIRED"),
    ("CANARY123", "TOO_SHORT"),
    ("1q2w3e4r5t", "NOT_ALLOWED"),
    ("QWERTYUIOP", "NOT_ALLOWED"),
    ("x" * 257, "TOO_LONG"),
    ("x" * 1025, "TOO_LONG"),
    ("👩" * 257, "TOO_LONG"),
    ("x" * 100_000, "TOO_LONG"),
]
LINES = [
    ("", "REQUIRED"),
    ("  ", "REQUIRED"),
    ("x" * 101, "TOO_LONG"),
    (NUL, "INVALID_FORMAT"),
    ("a\nb", "INVALID_FORMAT"),
    ("a\u202eb", "INVALID_FORMAT"),
]


async def test_each_bad_value_of_a_registration_is_told_at_its_place(api: Api, database: Database) -> None:
    good = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}

    for name, cases in (("email", EMAILS), ("password", PASSWORDS), ("name", LINES)):
        for value, code in cases:
            # when
            result = await api.mutate(operations.REGISTER, {**good, name: value})

            # then
            assert paths(result["errors"]) == [(name, code)], (name, value[:40])
    assert not any((await database.everything()).values())


async def test_all_problems_of_a_registration_are_told_at_once(api: Api) -> None:
    result = await api.mutate(operations.REGISTER, {"email": "x", "password": "x", "name": ""})

    assert paths(result["errors"]) == [
        ("email", "INVALID_FORMAT"),
        ("password", "TOO_SHORT"),
        ("name", "REQUIRED"),
    ]


async def test_an_address_that_grows_when_it_is_compared_breaks_nothing(api: Api) -> None:
    # U+FDFA is one character that NFKC turns into eighteen.
    result = await api.mutate(
        operations.REGISTER, {"email": "\ufdfa" * 20 + "@example.com", "password": PASSWORD, "name": "Ada"}
    )

    assert paths(result["errors"]) == [("email", "TOO_LONG")]


@pytest.mark.parametrize("name", ["O'Neil; DROP TABLE users; --", HTML, "Ада 李 👩", "%s {0} \\u0000 ${x}"])
async def test_strange_but_showable_text_is_kept_as_it_is(api: Api, name: str) -> None:
    # when
    result = await api.mutate(
        operations.REGISTER, {"email": "ada@example.com", "password": PASSWORD, "name": name}
    )

    # then
    answer = await api.execute("{ viewer { user { name } } }", token=result["bearerToken"])
    assert answer["viewer"]["user"]["name"] == name


async def test_bad_values_of_the_other_mutations_are_told_at_their_places(
    api: Api, database: Database
) -> None:
    # given
    ada = await api.register("ada")
    workspace = await ada.create_workspace()
    before = await database.everything()
    calls: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
        *((operations.CREATE_WORKSPACE, {"name": value}, [("name", code)]) for value, code in LINES),
        *(
            (
                operations.INVITE,
                {"workspaceId": workspace, "email": value, "role": "ADMIN"},
                [("email", code)],
            )
            for value, code in EMAILS
        ),
        (
            operations.INVITE,
            {"workspaceId": NUL, "email": "x", "role": "ADMIN"},
            [("workspaceId", "NOT_FOUND"), ("email", "INVALID_FORMAT")],
        ),
        *(
            (operations.ACCEPT, {"code": value}, [("code", "NOT_FOUND")])
            for value in ("", SQL, NUL, "é" * 9000)
        ),
        *(
            (operations.LOG_IN, {"email": ada.email, "password": PASSWORD, "label": value}, [("label", code)])
            for value, code in LINES
        ),
        *(
            (
                operations.CHANGE_PASSWORD,
                {"currentPassword": PASSWORD, "newPassword": value},
                [("newPassword", code)],
            )
            for value, code in PASSWORDS
        ),
        *(
            (operations.REVOKE, {"apiTokenId": value}, [("apiTokenId", "NOT_FOUND")])
            for value in ("", SQL, NUL)
        ),
    ]

    for operation, values, expected in calls:
        # when
        result = await ada.mutate(operation, **values)

        # then
        assert paths(result["errors"]) == expected, str(values)[:80]
    assert await database.everything() == before


@pytest.mark.parametrize("escape", ["\\ud800", "\\udfff", "\\ud83dx", "\\udc00\\ud800"])
async def test_a_body_with_a_lone_surrogate_is_refused_whole(
    api: Api, database: Database, escape: str
) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()
    body = (
        '{"query": "mutation($input: CreateWorkspaceInput!) { createWorkspace(input: $input) { __typename } }", '
        f'"variables": {{"input": {{"name": "{escape}"}}}}}}'
    )

    # when
    answer = await api.http.post(
        "/graphql",
        content=body,
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {ada.token}"},
    )

    # then
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert await database.everything() == before


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"facebookAccount": None},
        {"facebookAccount": {"facebookUserId": 1, "accessToken": "CANARY-x"}},
        {"facebookAccount": {"facebookUserId": "1"}},
        {"facebookAccount": {"facebookUserId": "1", "accessToken": "CANARY-x", "more": 1}},
        {"facebookAccount": {"facebookUserId": "1", "accessToken": "CANARY-x"}, "instagramAccounts": None},
        {"facebookAccount": {"facebookUserId": "1", "accessToken": "CANARY-x"}, "instagramAccounts": [None]},
        {"facebookAccount": {"facebookUserId": "1", "accessToken": "CANARY-x"}, "onConflict": "NONSENSE"},
        {"facebookAccount": {"facebookUserId": "1", "accessToken": "CANARY-x"}, "idempotencyKeys": "x"},
    ],
    ids=str,
)
async def test_wrong_types_are_bad_user_input_and_never_repeat_a_secret(
    api: Api, database: Database, values: dict[str, Any]
) -> None:
    # given
    ada = await api.register("ada")
    before = await database.everything()

    # when
    answer = await api.post(operations.CONNECT, {"input": values}, token=ada.token)

    # then
    assert answer.status_code < 500
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {"BAD_USER_INPUT"}
    assert "CANARY" not in answer.text
    assert await database.everything() == before


WRONG: list[object] = [None, 1, 1.5, 10**12, True, "x", [], ["x"], [None], {}, {"x": 1}]
PYTHON = re.compile(r"\b(None|NoneType|True|False|str|int|float|bool|dict|tuple|UUID|Traceback|<[a-z]+ )\b")
DECLARED = {"String!": "after", "Int": "first", "WorkspaceRole": "role", "[SocialPlatform!]!": "platforms"}


def literal(value: object) -> str:
    """A value in GraphQL's own words."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(one)}" for name, one in value.items()) + "}"
    return f"[{', '.join(map(literal, value))}]" if isinstance(value, list) else json.dumps(value)


async def test_messages_about_wrong_types_use_the_words_of_graphql(api: Api) -> None:
    # given
    ada = await api.register("ada")
    asked: list[tuple[str, dict[str, object]]] = []
    for value in WRONG:
        for kind, argument in DECLARED.items():
            field = "socialAccounts" if argument == "platforms" else "workspaces"
            asked += [
                (
                    f"query($v: {kind}) {{ viewer {{ {field}({argument}: $v) {{ totalCount }} }} }}",
                    {"v": value},
                ),
                (f"{{ viewer {{ {field}({argument}: {literal(value)}) {{ totalCount }} }} }}", {}),
            ]
        asked += [
            ("query($v: ID!) { node(id: $v) { id } }", {"v": value}),
            ("query($v: Boolean!) { viewer @skip(if: $v) { user { id } } }", {"v": value}),
            (
                f"query($v: Int! = {literal(value)}) {{ viewer {{ workspaces(first: $v) {{ totalCount }} }} }}",
                {},
            ),
            (f"mutation {{ createApiToken(input: {literal(value)}) {{ __typename }} }}", {}),
            (operations.LOG_IN, {"input": value}),
        ]
        for name in ("email", "scopes", "unknown"):
            wrong = {"email": "a", "password": "b", "label": "c", name: value}
            asked.append((operations.LOG_IN, {"input": wrong}))

    # when
    messages = []
    for query, variables in [*asked, *asked, *asked]:  # the third time, an operation runs as compiled code
        answer = (await api.post(query, variables, token=ada.token)).json()
        messages += [error["message"] for error in answer.get("errors", ())]
    for body in ([], [1], "x", 1, None, *({name: one} for name in ("query", "variables") for one in WRONG)):
        answer = (await api.http.post("/graphql", json=body)).json()
        messages += [error["message"] for error in answer["errors"]]

    # then
    assert len(messages) > 300
    assert [message for message in messages if PYTHON.search(message)] == []
    assert any("not to be null" in message for message in messages)
