"""Refusals as the schema tells them: every error stands on an interface and repeats its two fields.

    FieldError
    ├── InvalidInput           a value cannot be accepted as it is
    ├── CredentialsRejected    the e-mail address and the password do not belong together
    ├── HeldByWorkspace        a conflict: `domain.conflicts` has the rules and the words
    ├── HeldByPersonal         likewise
    ├── HeldElsewhere          likewise
    ├── AccountLimitReached    the place is full
    └── AccessTokenRejected    Meta does not accept an access token

The unions of each mutation are closed when they ship: strict generated clients refuse a member that they
do not know. A new kind of refusal becomes a new code.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, assert_never, cast, get_args

import strawberry

from graphql_api.domain import conflicts, inputs
from graphql_api.domain.conflicts import Resolution
from graphql_api.domain.inputs import InvalidInputCode
from graphql_api.domain.moves import NoRoom
from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.access_request import AccessRequest
from graphql_api.schema.accounts.social_account import InstagramAccount, shape_social_account
from graphql_api.schema.described import interface, output
from graphql_api.schema.enums import AccessTokenProblem
from graphql_api.schema.workspaces.workspace import Workspace
from graphql_api.services.accounts.connecting import Surroundings
from graphql_api.services.people import api_tokens
from graphql_api.storage.rows import SocialAccountRow, row_of

_PATH = (
    "Where in the arguments the value stands: names and list positions, beginning with the argument's name, for example "
    '`["input", "instagramAccounts", "0", "instagramUserId"]`.'
)
_MESSAGE = "A sentence for people."
_INSTAGRAM_USER_ID = "The Instagram account that was not connected."
_RESOLUTIONS = "What the viewer can do about it; each of these succeeds when the client does just that, if the claimed place has room for it."


@interface
class FieldError:
    """Something that stood in the way, at one place of the arguments."""

    path: list[str] = strawberry.field(description=_PATH)
    message: str = strawberry.field(description=_MESSAGE)


@output
class InvalidInput(FieldError):
    """A value cannot be accepted as it is.

    Nothing was written.
    """

    code: InvalidInputCode = strawberry.field(description="Why, for programs.")

    @classmethod
    def of(cls, problem: inputs.InvalidInput) -> "InvalidInput":
        """Shape a problem that the domain found."""
        return cls(path=list(problem.path), message=problem.message, code=problem.code)


@output
class CredentialsRejected(FieldError):
    """The e-mail address and the password do not belong together.

    Which of them is wrong is not told.
    """


@output
class HeldByWorkspace(FieldError):
    """A Workspace that the viewer belongs to holds the social account."""

    instagram_user_id: str = strawberry.field(description=_INSTAGRAM_USER_ID)
    resolutions: list[Resolution] = strawberry.field(description=_RESOLUTIONS)
    instagram_account: InstagramAccount | None = strawberry.field(
        description="The account where it is held; null where the viewer may not see it."
    )
    workspace: Workspace = strawberry.field(description="The Workspace that holds it.")
    contact_email: str | None = strawberry.field(
        description="Whom a creator may ask: the admin who connected it, or the longest-serving one. Null for admins."
    )
    pending_access_request: AccessRequest | None = strawberry.field(
        description="The viewer's request for access to it that is pending; null where there is none. While there is one, "
        "`REQUEST_ACCESS` gives it back."
    )


@output
class HeldByPersonal(FieldError):
    """The viewer's own Personal holds the social account, and it was claimed for a Workspace."""

    instagram_user_id: str = strawberry.field(description=_INSTAGRAM_USER_ID)
    resolutions: list[Resolution] = strawberry.field(description=_RESOLUTIONS)
    instagram_account: InstagramAccount | None = strawberry.field(
        description="The account in the viewer's Personal."
    )


@output
class HeldElsewhere(FieldError):
    """Somebody else holds the social account: a person, or a Workspace that the viewer is not in.

    Who it is, is not told.
    """

    instagram_user_id: str = strawberry.field(description=_INSTAGRAM_USER_ID)
    resolutions: list[Resolution] = strawberry.field(description=_RESOLUTIONS)


@output
class AccessTokenRejected(FieldError):
    """Meta does not accept an access token for what it was handed over for."""

    reason: AccessTokenProblem = strawberry.field(description="Why, for programs.")
    retryable: bool = strawberry.field(description="Whether the same call may succeed later.")


@output
class AccountLimitReached(FieldError):
    """The place holds as many social accounts as it may.

    Reconnecting does not count.
    """

    limit: int = strawberry.field(description="How many social accounts a place may hold.")
    used: int = strawberry.field(description="How many it holds as this is answered.")


ConnectSocialAccountsError = Annotated[
    InvalidInput
    | HeldByWorkspace
    | HeldByPersonal
    | HeldElsewhere
    | AccessTokenRejected
    | AccountLimitReached,
    strawberry.union(
        "ConnectSocialAccountsError",
        description="What can stand in the way of connecting. Closed: new kinds of refusal become new codes.",
    ),
]


def members_of(refused: Any) -> list[type]:
    """The types that the problems of a `Refused[…]` are told as."""
    (problems,) = get_args(refused)
    return list(dict.fromkeys(_SHAPES[kind][0] for kind in get_args(problems) or (problems,)))


def errors_of(refused: Refused[Any]) -> list[Any]:
    """Shape the problems of a refused call, in their order."""
    return [_SHAPES[type(problem)][1](problem, refused) for problem in refused.problems]


def conflict_errors(
    problems: Iterable[conflicts.Conflict], surroundings: Surroundings
) -> list[ConnectSocialAccountsError]:
    """Shape the conflicts of a call that connected the rest."""
    return [conflict_error(problem, surroundings) for problem in problems]


def conflict_error(
    conflict: conflicts.Conflict, surroundings: Surroundings
) -> HeldByWorkspace | HeldByPersonal | HeldElsewhere | AccountLimitReached:
    """Shape one conflict."""
    path, message = list(conflict.claim.path), conflict.message
    instagram_user_id = conflict.claim.instagram_user_id
    row = surroundings.accounts.get(instagram_user_id)
    match conflict:
        case conflicts.HeldByWorkspace():
            found = surroundings.workspaces.get(conflict.workspace_id)
            if found is None:  # the viewer has left it since it was found
                return conflict_error(conflicts.HeldElsewhere(conflict.claim), surroundings)
            workspace, role = found
            pending = surroundings.pending.get((conflict.workspace_id, instagram_user_id))
            return HeldByWorkspace(
                path=path,
                message=message,
                instagram_user_id=instagram_user_id,
                resolutions=list(conflict.resolutions),
                instagram_account=None
                if row is None
                else cast("InstagramAccount", shape_social_account(row_of(row, SocialAccountRow))),
                workspace=Workspace.of(workspace, role),
                contact_email=conflict.contact_email,
                pending_access_request=None if pending is None else AccessRequest.of(pending),
            )
        case conflicts.HeldByPersonal():
            return HeldByPersonal(
                path=path,
                message=message,
                instagram_user_id=instagram_user_id,
                resolutions=list(conflict.resolutions),
                instagram_account=None
                if row is None
                else cast("InstagramAccount", shape_social_account(row_of(row, SocialAccountRow))),
            )
        case conflicts.HeldElsewhere():
            return HeldElsewhere(
                path=path,
                message=message,
                instagram_user_id=instagram_user_id,
                resolutions=list(conflict.resolutions),
            )
        case conflicts.AccountLimitReached():
            return AccountLimitReached(path=path, message=message, limit=conflict.limit, used=conflict.used)
        case never:
            assert_never(never)


_SHAPES: Mapping[type, tuple[type, Callable[[Any, Any], Any]]] = {
    inputs.InvalidInput: (InvalidInput, lambda problem, _: InvalidInput.of(problem)),
    api_tokens.CredentialsRejected: (
        CredentialsRejected,
        lambda problem, _: CredentialsRejected(path=list(problem.path), message=problem.message),
    ),
    NoRoom: (
        AccountLimitReached,
        lambda problem, _: AccountLimitReached(
            path=list(problem.path), message=problem.message, limit=problem.limit, used=problem.used
        ),
    ),
    **{
        getattr(conflicts, told.__name__): (
            told,
            lambda problem, refused: conflict_error(problem, refused.surroundings),
        )
        for told in (HeldByWorkspace, HeldByPersonal, HeldElsewhere, AccountLimitReached)
    },
}
