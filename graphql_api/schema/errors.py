"""Refusals as the schema tells them: every error stands on an interface and repeats its two fields.

    FieldError
    ├── InvalidInput           a value cannot be accepted as it is
    ├── CredentialsRejected    the e-mail address and the password do not belong together
    ├── HeldByWorkspace        a conflict: `domain.conflicts` has the rules and the words
    ├── HeldByPersonal         likewise
    ├── HeldElsewhere          likewise
    ├── OtherConflict          room for a rule of tomorrow
    ├── AccountLimitReached    the place is full
    └── AccessTokenRejected    Meta does not accept an access token

The unions of each mutation are closed when they ship: strict generated clients refuse a member that they
do not know. A new kind of refusal becomes a new code.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args

import strawberry

from graphql_api.domain import conflicts, inputs, proofs
from graphql_api.domain.conflicts import Resolution
from graphql_api.domain.inputs import InvalidInputCode
from graphql_api.domain.moves import NoRoom
from graphql_api.domain.platforms import Platform
from graphql_api.domain.proofs import AccessTokenProblem
from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.access_request import AccessRequest
from graphql_api.schema.accounts.social_account import SocialAccount, shape_social_account
from graphql_api.schema.accounts.transfer_request import TransferRequest
from graphql_api.schema.described import interface, output
from graphql_api.schema.workspaces.workspace import Workspace
from graphql_api.services.accounts.holdings import Facts
from graphql_api.services.people import passwords

_PATH = (
    "The place of the value in the arguments: names and list positions, beginning with the argument's name, for example "
    '`["input", "instagramAccounts", "0", "instagramUserId"]`. Empty for a conflict that has no place in an input.'
)
_MESSAGE = "A sentence for people."
_PLATFORM = "Where the social account lives."
_EXTERNAL_ID = "The platform's id of the social account."
_RESOLUTIONS = "What the viewer can do about it now. Show one button for each."
_PENDING_TRANSFER = (
    "The viewer's open request for a transfer of this account. Null if there is none. If there is one, show its state: "
    "asking again returns this same request."
)


@interface
class FieldError:
    """A reason why a call was refused, at one place of the arguments."""

    path: list[str] = strawberry.field(description=_PATH)
    message: str = strawberry.field(description=_MESSAGE)


@output
class InvalidInput(FieldError):
    """A value cannot be accepted as it is. Nothing was written."""

    code: InvalidInputCode = strawberry.field(description="Why, for programs.")

    @classmethod
    def of(cls, problem: inputs.InvalidInput) -> "InvalidInput":
        """Shape a problem that the domain found."""
        return cls(path=list(problem.path), message=problem.message, code=problem.code)


@output
class CredentialsRejected(FieldError):
    """The e-mail address and the password do not belong together. The answer does not say which of them is wrong."""


@output
class HeldByWorkspace(FieldError):
    """A Workspace that the viewer belongs to holds this social account."""

    platform: Platform = strawberry.field(description=_PLATFORM)
    external_id: str = strawberry.field(description=_EXTERNAL_ID)
    resolutions: list[Resolution] = strawberry.field(description=_RESOLUTIONS)
    social_account: SocialAccount | None = strawberry.field(
        description="The account where it is held. Null if the viewer may not see it."
    )
    workspace: Workspace = strawberry.field(description="The Workspace that holds it.")
    contact_email: str | None = strawberry.field(
        description="Whom a creator may ask: the admin who connected it, or the longest-serving one. Null for admins."
    )
    pending_access_request: AccessRequest | None = strawberry.field(
        description="The viewer's pending request for access to this account. Null if there is none. If there is one, show "
        '"requested": asking again returns this same request.'
    )
    pending_transfer_request: TransferRequest | None = strawberry.field(description=_PENDING_TRANSFER)


@output
class HeldByPersonal(FieldError):
    """The viewer's own Personal holds the social account, and it was claimed for a Workspace."""

    platform: Platform = strawberry.field(description=_PLATFORM)
    external_id: str = strawberry.field(description=_EXTERNAL_ID)
    resolutions: list[Resolution] = strawberry.field(description=_RESOLUTIONS)
    social_account: SocialAccount | None = strawberry.field(
        description="The account in the viewer's Personal. Null if it left there in the meantime."
    )


@output
class HeldElsewhere(FieldError):
    """A person or a Workspace that the viewer has nothing to do with holds the social account.

    The answer never says which.
    """

    platform: Platform = strawberry.field(description=_PLATFORM)
    external_id: str = strawberry.field(description=_EXTERNAL_ID)
    resolutions: list[Resolution] = strawberry.field(description=_RESOLUTIONS)
    pending_transfer_request: TransferRequest | None = strawberry.field(description=_PENDING_TRANSFER)


@output
class OtherConflict(FieldError):
    """A conflict that this version of the schema has no type for. Nothing returns it today: show `message`."""

    platform: Platform = strawberry.field(description=_PLATFORM)
    external_id: str = strawberry.field(description=_EXTERNAL_ID)
    resolutions: list[Resolution] = strawberry.field(description=_RESOLUTIONS)


@output
class AccessTokenRejected(FieldError):
    """Meta does not accept an access token, or does not say that the Facebook login controls this account.

    For an account it says nothing about whether somebody holds it.
    """

    problem: AccessTokenProblem = strawberry.field(description="Why, for programs.")
    retryable: bool = strawberry.field(description="True if the same call may succeed later.")
    retry_after: int | None = strawberry.field(
        description="After how many seconds to send it again. Null if that is not known, or if it is not retryable."
    )


@output
class AccountLimitReached(FieldError):
    """The place holds as many social accounts as it may. Reconnecting an account that it holds does not count."""

    limit: int = strawberry.field(description="How many social accounts the place may hold.")
    used: int = strawberry.field(description="How many it holds now.")


ConnectSocialAccountsError = Annotated[
    InvalidInput
    | HeldByWorkspace
    | HeldByPersonal
    | HeldElsewhere
    | OtherConflict
    | AccessTokenRejected
    | AccountLimitReached,
    strawberry.union(
        "ConnectSocialAccountsError",
        description="The errors of `connectSocialAccounts`. The list of types is closed.",
    ),
]


def members_of(refused: Any) -> list[type]:
    """The types that the problems of a `Refused[…]` are told as."""
    (problems,) = get_args(refused)
    return list(dict.fromkeys(_SHAPES[kind][0] for kind in get_args(problems) or (problems,)))


def errors_of(refused: Refused[Any]) -> list[Any]:
    """Shape the problems of a refused call, in their order."""
    return [_SHAPES[type(problem)][1](problem, refused) for problem in refused.problems]


def conflict_error(
    conflict: conflicts.Conflict, facts: Facts
) -> HeldByWorkspace | HeldByPersonal | HeldElsewhere | AccountLimitReached:
    """Shape one conflict."""
    claim, path, message = conflict.claim, list(conflict.claim.path), conflict.message
    if isinstance(conflict, conflicts.AccountLimitReached):
        return AccountLimitReached(path=path, message=message, limit=conflict.limit, used=conflict.used)
    shared: dict[str, Any] = {
        "path": path,
        "message": message,
        "platform": claim.key.platform,
        "external_id": claim.key.external_id,
        "resolutions": list(conflict.resolutions),
    }
    transfer = facts.transfers.get(claim.key)
    pending_transfer = None if transfer is None else TransferRequest.of(transfer)
    if isinstance(conflict, conflicts.HeldElsewhere):
        return HeldElsewhere(**shared, pending_transfer_request=pending_transfer)
    row = facts.accounts.get(claim.key)
    account = None if row is None else shape_social_account(row)
    if isinstance(conflict, conflicts.HeldByPersonal):
        return HeldByPersonal(**shared, social_account=account)
    workspace, role = facts.workspaces[conflict.workspace_id]
    pending = facts.pending.get((conflict.workspace_id, claim.key))
    return HeldByWorkspace(
        **shared,
        social_account=account,
        workspace=Workspace.of(workspace, role),
        contact_email=conflict.contact_email,
        pending_access_request=None if pending is None else AccessRequest.of(pending),
        pending_transfer_request=pending_transfer,
    )


def _token_rejected(problem: conflicts.AccessTokenRejected | proofs.LoginRejected) -> AccessTokenRejected:
    """Shape what Meta does not accept."""
    trouble = problem.trouble
    return AccessTokenRejected(
        path=list(problem.path),
        message=problem.message,
        problem=trouble.problem,
        retryable=trouble.retryable,
        retry_after=trouble.retry_after,
    )


_SHAPES: Mapping[type, tuple[type, Callable[[Any, Any], Any]]] = {
    inputs.InvalidInput: (InvalidInput, lambda problem, _: InvalidInput.of(problem)),
    passwords.CredentialsRejected: (
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
            lambda problem, refused: conflict_error(problem, refused.facts),
        )
        for told in (HeldByWorkspace, HeldByPersonal, HeldElsewhere, AccountLimitReached)
    },
    **{
        kind: (AccessTokenRejected, lambda problem, _: _token_rejected(problem))
        for kind in (conflicts.AccessTokenRejected, proofs.LoginRejected)
    },
}
