"""Who controls an account, by what Meta says: the rules of proof."""

from dataclasses import replace

import pytest

from graphql_api.domain.platforms import Platform, SocialKey
from graphql_api.domain.proofs import (
    AccessTokenProblem,
    Control,
    InstagramFacts,
    PageFacts,
    TokenFacts,
    TokenKind,
    Trouble,
    control_of,
    why_no_login,
    why_no_token,
)
from graphql_api.domain.secrets import Secret

APP = "42"
SCOPES = frozenset({"pages_show_list", "pages_read_engagement", "instagram_basic"})
LOGIN = TokenFacts(APP, TokenKind.USER, "7", scopes=SCOPES)
PAGE = PageFacts(
    "20",
    "Studio",
    None,
    frozenset({"MANAGE", "CREATE_CONTENT"}),
    Secret("page"),
    InstagramFacts("17", "studio", "https://pictures.example/s.jpg"),
)
OF_PAGE, OF_INSTAGRAM = SocialKey(Platform.FACEBOOK_PAGE, "20"), SocialKey(Platform.INSTAGRAM, "17")


def problem(found: Trouble | Control | None) -> AccessTokenProblem | None:
    return found.problem if isinstance(found, Trouble) else None


@pytest.mark.parametrize(
    ("facts", "claimed", "expected"),
    [
        (LOGIN, "7", None),
        (LOGIN, None, None),
        (LOGIN, "8", AccessTokenProblem.WRONG_LOGIN),
        (replace(LOGIN, kind=TokenKind.PAGE), "7", AccessTokenProblem.WRONG_LOGIN),
        (replace(LOGIN, kind=TokenKind.OTHER), "7", AccessTokenProblem.WRONG_LOGIN),
        (replace(LOGIN, app_id="43"), "7", AccessTokenProblem.WRONG_APP),
        (replace(LOGIN, scopes=SCOPES - {"pages_show_list"}), "7", AccessTokenProblem.MISSING_PERMISSION),
        (replace(LOGIN, scopes=SCOPES - {"instagram_basic"}), "7", None),
        (replace(LOGIN, trouble=Trouble(AccessTokenProblem.EXPIRED)), "7", AccessTokenProblem.EXPIRED),
    ],
)
def test_a_login_is_a_users_token_of_our_app_and_of_the_claimed_user(
    facts: TokenFacts, claimed: str | None, expected: AccessTokenProblem | None
) -> None:
    assert problem(why_no_login(facts, app_id=APP, facebook_user_id=claimed)) is expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (LOGIN, None),
        (replace(LOGIN, kind=TokenKind.PAGE, page_id="20"), None),
        (replace(LOGIN, kind=TokenKind.PAGE, page_id="21"), AccessTokenProblem.WRONG_LOGIN),
        (replace(LOGIN, kind=TokenKind.PAGE, page_id="20", user_id="8"), AccessTokenProblem.WRONG_LOGIN),
        (replace(LOGIN, user_id="8"), AccessTokenProblem.WRONG_LOGIN),
        (replace(LOGIN, kind=TokenKind.OTHER), AccessTokenProblem.WRONG_LOGIN),
        (replace(LOGIN, app_id="43"), AccessTokenProblem.WRONG_APP),
    ],
)
def test_a_token_for_an_account_is_the_logins_or_its_pages(
    facts: TokenFacts, expected: AccessTokenProblem | None
) -> None:
    assert problem(why_no_token(facts, app_id=APP, facebook_user_id="7", page_id="20")) is expected


@pytest.mark.parametrize("key", [OF_PAGE, OF_INSTAGRAM], ids=str)
@pytest.mark.parametrize(
    ("tasks", "controls", "manages"),
    [
        ({"MANAGE"}, True, True),
        ({"CREATE_CONTENT"}, True, False),
        ({"MODERATE", "ANALYZE"}, False, False),
        (set(), False, False),
    ],
)
def test_control_is_the_task_to_manage_or_to_create_content(
    key: SocialKey, tasks: set[str], controls: bool, manages: bool
) -> None:
    found = control_of(key, LOGIN, [replace(PAGE, tasks=frozenset(tasks))])

    assert isinstance(found, Control) is controls
    assert problem(found) is (None if controls else AccessTokenProblem.ROLE_TOO_WEAK)
    assert (isinstance(found, Control) and found.manages) or not manages


@pytest.mark.parametrize(
    ("targets", "key", "expected"),
    [
        (
            {"pages_show_list": {"20"}, "pages_read_engagement": {"20"}, "instagram_basic": {"17"}},
            OF_INSTAGRAM,
            None,
        ),
        ({"pages_show_list": {"21"}}, OF_PAGE, AccessTokenProblem.MISSING_PERMISSION),
        ({"pages_read_engagement": set()}, OF_PAGE, AccessTokenProblem.MISSING_PERMISSION),
        ({"instagram_basic": {"18"}}, OF_INSTAGRAM, AccessTokenProblem.MISSING_PERMISSION),
        ({"instagram_basic": {"18"}}, OF_PAGE, None),
    ],
)
def test_what_was_granted_for_some_accounts_holds_for_these_alone(
    targets: dict[str, set[str]], key: SocialKey, expected: AccessTokenProblem | None
) -> None:
    login = replace(LOGIN, targets={scope: frozenset(ids) for scope, ids in targets.items()})

    assert problem(control_of(key, login, [PAGE])) is expected


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ({}, AccessTokenProblem.WRONG_ACCOUNT),
        ({"instagram_basic": {"17"}}, AccessTokenProblem.MISSING_PERMISSION),
    ],
)
def test_an_account_that_is_not_shown_may_have_been_left_out_at_the_login(
    targets: dict[str, set[str]], expected: AccessTokenProblem
) -> None:
    login = replace(LOGIN, targets={scope: frozenset(ids) for scope, ids in targets.items()})

    found = control_of(SocialKey(Platform.INSTAGRAM, "99"), login, [PAGE])

    assert problem(found) is expected
    assert isinstance(found, Trouble)
    assert not found.final, "one look may have missed it"


def test_what_is_proven_has_metas_name_picture_and_the_pages_token() -> None:
    found = control_of(OF_INSTAGRAM, LOGIN, [PAGE])

    assert found == Control(
        OF_INSTAGRAM, "20", "studio", "https://pictures.example/s.jpg", Secret("page"), manages=True
    )


@pytest.mark.parametrize("kind", AccessTokenProblem)
def test_every_problem_has_a_sentence_for_people(kind: AccessTokenProblem) -> None:
    trouble = Trouble(kind, words="Meta's words")

    assert trouble.retryable is (kind is AccessTokenProblem.UNVERIFIABLE)
    assert (trouble.sentence == "Meta's words") is (kind is AccessTokenProblem.OTHER)
    assert len(Trouble(kind).sentence) > 10
