"""Asking for access to a social account of a Workspace, taking it back, and answering."""

import strawberry

from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.access_request import AccessRequest
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.services.accounts import access_requests
from graphql_api.services.accounts.access_requests import AskCommand


@arguments
class RequestSocialAccountAccessInput:
    """What to ask for."""

    workspace_id: strawberry.ID = strawberry.field(
        description="The Workspace that holds the account; the viewer is a creator there."
    )
    instagram_user_id: str = strawberry.field(
        description="Instagram's id of the account: 1 to 20 digits, as text."
    )
    username: str = strawberry.field(
        description="The account's username, for the admins to read: 1 to 30 letters, digits, dots and underscores; no "
        "dot first, last or doubled."
    )
    message: str | None = strawberry.field(
        default=None,
        description="What to tell the admins, if anything: at most 1000 characters, line breaks allowed.",
    )

    def to_command(self) -> AskCommand:
        """As the service takes it."""
        return AskCommand(
            workspace_id=read_id("Workspace", self.workspace_id),
            instagram_user_id=self.instagram_user_id,
            display_name=self.username,
            message=self.message,
        )


@output
class RequestSocialAccountAccessSuccess:
    """The request is pending."""

    access_request: AccessRequest = strawberry.field(
        description="The request; if the viewer has asked before and nobody has answered yet, that one, as it was."
    )


@mutation(
    "Nothing was asked.",
    errors="What stood in the way. An account that the Workspace does not hold is `NOT_FOUND`; one that the viewer sees already is `NOT_ALLOWED`, and so is an admin's request.",
)
async def request_social_account_access(
    info: Info, input: RequestSocialAccountAccessInput
) -> RequestSocialAccountAccessSuccess | Refused[InvalidInput]:
    """Ask the admins of a Workspace for access to an Instagram account that it holds and the viewer, a creator there, does not see: what `REQUEST_ACCESS` offers.

    Asking again gives back the request that is pending.
    """
    outcome = await access_requests.ask(info.context.call, input.to_command())
    if isinstance(outcome, Refused):
        return outcome
    return RequestSocialAccountAccessSuccess(access_request=AccessRequest.of(outcome))


@arguments
class WithdrawAccessRequestInput:
    """Which request to take back."""

    access_request_id: strawberry.ID = strawberry.field(description="A pending request of the viewer's own.")


@output
class WithdrawAccessRequestSuccess:
    """The request is withdrawn."""

    access_request: AccessRequest = strawberry.field(description="The request as it stands now.")


@mutation(
    "Nothing was withdrawn.",
    errors="What stood in the way. A request that is not pending any more is `OTHER`.",
)
async def withdraw_access_request(
    info: Info, input: WithdrawAccessRequestInput
) -> WithdrawAccessRequestSuccess | Refused[InvalidInput]:
    """Take a pending request for access back; for who asked."""
    request_id = read_id("AccessRequest", input.access_request_id)
    outcome = await access_requests.withdraw(info.context.call, request_id)
    if isinstance(outcome, Refused):
        return outcome
    return WithdrawAccessRequestSuccess(access_request=AccessRequest.of(outcome))


@arguments
class GrantAccessRequestInput:
    """Which request to grant, and through which teams."""

    access_request_id: strawberry.ID = strawberry.field(
        description="A pending request to a Workspace that the viewer is an admin of."
    )
    team_ids: list[strawberry.ID] = strawberry.field(
        description="Teams of that Workspace, 1 to 100, each once. The social account is shared with them, and the requester "
        "is added to them."
    )


@output
class GrantAccessRequestSuccess:
    """The request is granted: the requester sees the social account."""

    access_request: AccessRequest = strawberry.field(description="The request as it stands now.")


@mutation(
    "Nothing was granted.",
    errors="What stood in the way. A request that is not pending any more, or whose social account the Workspace does not hold any more, is `OTHER`.",
)
async def grant_access_request(
    info: Info, input: GrantAccessRequestInput
) -> GrantAccessRequestSuccess | Refused[InvalidInput]:
    """Grant a request for access: the social account is shared with these teams, and the requester is added to them; for admins of the Workspace."""
    outcome = await access_requests.grant(
        info.context.call,
        read_id("AccessRequest", input.access_request_id),
        [read_id("Team", text) for text in input.team_ids],
    )
    if isinstance(outcome, Refused):
        return outcome
    return GrantAccessRequestSuccess(access_request=AccessRequest.of(outcome))


@arguments
class DeclineAccessRequestInput:
    """Which request to decline."""

    access_request_id: strawberry.ID = strawberry.field(
        description="A pending request to a Workspace that the viewer is an admin of."
    )
    reason: str | None = strawberry.field(
        default=None,
        description="What to tell the requester, if anything: at most 1000 characters, line breaks allowed.",
    )


@output
class DeclineAccessRequestSuccess:
    """The request is declined."""

    access_request: AccessRequest = strawberry.field(description="The request as it stands now.")


@mutation(
    "Nothing was declined.",
    errors="What stood in the way. A request that is not pending any more is `OTHER`.",
)
async def decline_access_request(
    info: Info, input: DeclineAccessRequestInput
) -> DeclineAccessRequestSuccess | Refused[InvalidInput]:
    """Decline a request for access; for admins of the Workspace."""
    request_id = read_id("AccessRequest", input.access_request_id)
    outcome = await access_requests.decline(info.context.call, request_id, input.reason)
    if isinstance(outcome, Refused):
        return outcome
    return DeclineAccessRequestSuccess(access_request=AccessRequest.of(outcome))
