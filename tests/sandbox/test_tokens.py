"""What is a test token, and what is none."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graphql_api.sandbox.people import PEOPLE, page_of
from graphql_api.sandbox.tokens import Condition, Ids, Login, PageToken, parse
from tests.sandbox.caller import Caller, problem

EXTERNAL_ID = re.compile(r"[1-9][0-9]{0,19}")
USERNAME = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9._]{1,30}(?<!\.)")

ids = st.from_regex(r"\A[1-9][0-9]{0,19}\Z")
chosen = st.builds(
    Ids,
    facebook=ids,
    pages=st.lists(ids, unique=True, max_size=4).map(tuple),
    instagram=st.lists(ids, unique=True, max_size=4).map(tuple),
)


@st.composite
def logins(draw: st.DrawFn) -> Login:
    condition = draw(st.none() | st.sampled_from(Condition))
    times = st.integers(0, 999_999_999_999)
    time = draw(times if condition is Condition.DIES else st.none() | times)
    name = draw(st.sampled_from([*PEOPLE, "any"]))
    made_up = draw(chosen) if name == "any" else None
    if made_up is not None:
        assume(not set(made_up.pages) & set(map(page_of, made_up.instagram)))
        assume(len(set(map(page_of, made_up.instagram))) == len(made_up.instagram))
    return Login(name, condition, time, made_up)


@given(logins())
def test_a_login_that_is_written_reads_as_the_same_login(login: Login) -> None:
    assert parse(str(login)) == login


@given(logins())
def test_a_pages_token_that_is_written_reads_as_the_same_token(login: Login) -> None:
    for page in [*login.person.pages.values()][:3]:
        token = login.token_of(page)
        assert parse(str(token)) == token
        assert token.page == page


@given(logins())
def test_a_pages_token_has_the_condition_of_its_login_unless_that_is_about_another_page(login: Login) -> None:
    for page in [*login.person.pages.values()][:3]:
        condition = login.token_of(page).login.condition
        first = login.person.is_first(page.id)
        about_the_first = login.condition in {Condition.NOROLE, Condition.UNLINKED}
        kept = condition == login.condition
        assert kept or (about_the_first and not first and login.ids is not None)


@given(st.text() | st.from_regex(r"TEST-(page-[0-9]*-of-TEST-)?(ann|any|max)[-@:a-z=;,0-9]*"))
def test_a_text_is_a_token_only_as_the_sandbox_writes_it(text: str) -> None:
    token = parse(text)
    assert token is None or str(token) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TEST-",
        "TEST-dan",
        "test-ann",
        "TEST-Ann",
        " TEST-ann",
        "TEST-ann\n",
        "TEST-ann-",
        "TEST-ann-lost",
        "TEST-ann-dies",
        "TEST-ann@",
        "TEST-ann@-5",
        "TEST-ann@05",
        "TEST-ann@1.5",
        "TEST-ann@٣",
        "TEST-ann@1234567890123",
        "TEST-ann-expired-revoked",
        "TEST-ann:fb=1",
        "TEST-any",
        "TEST-any:page=1",
        "TEST-any:fb=0",
        "TEST-any:fb=01",
        "TEST-any:fb=",
        "TEST-any:fb=123456789012345678901",
        "TEST-any:fb=1;page=",
        "TEST-any:fb=1;page=1,1",
        "TEST-any:fb=1;ig=2,2",
        "TEST-any:fb=1;page=1,;ig=2",
        "TEST-any:fb=1;ig=2;page=1",
        f"TEST-any:fb=1;page={page_of('6')};ig=5,6",
        "TEST-page-2001-of-TEST-eve",
        "TEST-page-2003-of-TEST-ann",
        "TEST-page-2001-of-TEST-page-2001-of-TEST-ann",
        "TEST-page-5-of-TEST-any:fb=1;page=6",
        f"TEST-any:fb=1;page={','.join(str(n) for n in range(10**18, 10**18 + 300))}",
        "EAAhDAgMbLtsBO",
    ],
)
async def test_anything_else_is_refused_as_meta_refuses_it(text: str, meta: Caller) -> None:
    assert parse(text) is None
    assert problem(await meta.exchange(text)) == (400, 190, None)
    if text:
        data = (await meta.debug_token(text)).json()["data"]
        assert data == {
            "error": {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"},
            "is_valid": False,
            "scopes": [],
        }
    if text.isascii() and text.strip() and text.isprintable() and text == text.strip():
        assert problem(await meta.accounts(text)) == (400, 190, None)


def test_a_time_alone_makes_another_good_token_of_the_same_person() -> None:
    first, second = parse("TEST-ann@1"), parse("TEST-ann@2")
    assert isinstance(first, Login)
    assert first != second
    assert first.condition_at(5) is None


def test_a_condition_holds_from_its_time_on() -> None:
    login = Login("ann", Condition.REVOKED, 100)
    assert [login.condition_at(now) for now in (99.9, 100, 101)] == [
        None,
        Condition.REVOKED,
        Condition.REVOKED,
    ]
    assert Login("ann", Condition.REVOKED).condition_at(0) is Condition.REVOKED


def test_a_hundred_accounts_fit_into_a_token_and_each_pages_token_is_short() -> None:
    numbers = range(17841400000100001, 17841400000100101)
    login = Login("any", ids=Ids("5", (), tuple(map(str, numbers))))
    assert parse(str(login)) == login
    assert len(str(login)) < 4096
    assert all(len(str(login.token_of(page))) < 120 for page in login.person.pages.values())


def test_a_token_of_a_page_keeps_the_ids_of_that_page_alone() -> None:
    login = Login("any", ids=Ids("1", ("2", "3"), ("4", "5")))
    assert str(login.token_of(login.person.pages["3"])) == "TEST-page-3-of-TEST-any:fb=1;page=3;ig=5"


@given(st.lists(st.from_regex(r"\A[1-9][0-9]{0,18}\Z"), unique=True))
def test_made_up_pages_have_ids_of_metas_form_that_no_two_accounts_share(accounts: list[str]) -> None:
    made_up = [page_of(account) for account in accounts]
    assert len(set(made_up)) == len(accounts)
    assert all(EXTERNAL_ID.fullmatch(page) for page in [*made_up, page_of("9" * 20)])


def test_the_people_pass_the_rules_for_names_and_ids() -> None:
    for person in PEOPLE.values():
        assert person.name
        for page in person.pages.values():
            assert EXTERNAL_ID.fullmatch(page.id)
            assert page.name
            assert 1 <= len(page.name) <= 75
            if page.instagram:
                assert EXTERNAL_ID.fullmatch(page.instagram.id)
                assert USERNAME.fullmatch(page.instagram.username or "")
                assert (page.instagram.picture or "").startswith("https://")


def test_a_pages_token_says_its_page() -> None:
    token = parse("TEST-page-2001-of-TEST-ann-expired@5")
    assert token == PageToken("2001", Login("ann", Condition.EXPIRED, 5))
    assert token.page.name == "Ann's Studio"
