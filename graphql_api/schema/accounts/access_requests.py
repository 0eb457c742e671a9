"""Asking for access to a social account of a Workspace, withdrawing that, and answering."""

import strawberry

from graphql_api.domain.access_requests import ACCOUNT
from graphql_api.domain.claims import Candidate
from graphql_api.domain.inputs import InvalidInput
from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.access_request import AccessRequest
from graphql_api.schema.accounts.key import SocialAccountKeyInput
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.services.accounts import access_requests, answering
from graphql_api.services.accounts.access_requests import AskCommand


@arguments
class RequestSocialAccountAccessInput:
    """The social account that the viewer wants to see."""

    workspace_id: strawberry.ID = strawberry.field(
        description="The Workspace that holds the social account. The viewer is a creator there."
    )
    social_account: SocialAccountKeyInput = strawberry.field(
        description="The social account, as the conflict names it. The admins read its `displayName`."
    )
    message: str | None = strawberry.field(
        default=None,
        description="A message to the admins: at most 1000 characters, line breaks allowed.",
    )

    def to_command(self) -> AskCommand:
        """Convert to the service's command."""
        account = self.social_account
        return AskCommand(
            workspace_id=read_id("Workspace", self.workspace_id),
            account=Candidate(0, account.to_key(), account.display_name, ACCOUNT),
            message=self.message,
        )


@output
class RequestSocialAccountAccessSuccess:
    """The request is pending."""

    access_request: AccessRequest = strawberry.field(
        description="The new request. If the viewer already has a pending request for this account, that one, unchanged."
    )


@mutation(
    "Access was not requested.",
    errors="What blocks the call, in the order of the input. An account that the Workspace does not hold is `NOT_FOUND`. "
    "An account that the viewer can already see is `NOT_ALLOWED`, and so is a request by an admin.",
)
async def request_social_account_access(
    info: Info, input: RequestSocialAccountAccessInput
) -> RequestSocialAccountAccessSuccess | Refused[InvalidInput]:
    """Ask the admins of a Workspace for access to a social account that it holds.

    Offer it where a conflict has the resolution `REQUEST_ACCESS`. Asking again returns the pending request.
    """
    outcome = await access_requests.ask(info.context.call, input.to_command())
    if isinstance(outcome, Refused):
        return outcome
    return RequestSocialAccountAccessSuccess(access_request=AccessRequest.of(outcome))


@arguments
class WithdrawAccessRequestInput:
    """The request to withdraw."""

    access_request_id: strawberry.ID = strawberry.field(description="One of the viewer's pending requests.")


@output
class WithdrawAccessRequestSuccess:
    """The request was withdrawn."""

    access_request: AccessRequest = strawberry.field(description="The request after the change.")


@mutation(
    "The request was not withdrawn.",
    errors="What blocks the call. A request that is no longer pending is `OTHER`; the message says how it ended.",
)
async def withdraw_access_request(
    info: Info, input: WithdrawAccessRequestInput
) -> WithdrawAccessRequestSuccess | Refused[InvalidInput]:
    """Withdraw a pending request for access. Only its requester can."""
    request_id = read_id("AccessRequest", input.access_request_id)
    outcome = await access_requests.withdraw(info.context.call, request_id)
    if isinstance(outcome, Refused):
        return outcome
    return WithdrawAccessRequestSuccess(access_request=AccessRequest.of(outcome))


@arguments
class GrantAccessRequestInput:
    """The request to grant, and the teams to grant it through."""

    access_request_id: strawberry.ID = strawberry.field(
        description="A pending request to a Workspace where the viewer is an admin."
    )
    team_ids: list[strawberry.ID] = strawberry.field(
        description="1 to 100 teams of that Workspace, each once. The social account is shared with them, and the requester is "
        "added to them."
    )


@output
class GrantAccessRequestSuccess:
    """The request was granted: the requester can see the social account."""

    access_request: AccessRequest = strawberry.field(description="The request after the change.")


@mutation(
    "The request was not granted.",
    errors="What blocks the call, in the order of the input. A request is `OTHER` if it is no longer pending, if the "
    "Workspace no longer holds the social account, or if the requester has left. The viewer's own request is "
    "`NOT_ALLOWED`.",
)
async def grant_access_request(
    info: Info, input: GrantAccessRequestInput
) -> GrantAccessRequestSuccess | Refused[InvalidInput]:
    """Grant a request for access: share the social account with teams, and add the requester to them.

    Requires the role ADMIN. Nobody can grant their own request.
    """
    outcome = await answering.grant(
        info.context.call,
        read_id("AccessRequest", input.access_request_id),
        [read_id("Team", text) for text in input.team_ids],
    )
    if isinstance(outcome, Refused):
        return outcome
    return GrantAccessRequestSuccess(access_request=AccessRequest.of(outcome))


@arguments
class DeclineAccessRequestInput:
    """The request to decline."""

    access_request_id: strawberry.ID = strawberry.field(
        description="A pending request to a Workspace where the viewer is an admin."
    )
    reason: str | None = strawberry.field(
        default=None,
        description="A message to the requester: at most 1000 characters, line breaks allowed.",
    )


@output
class DeclineAccessRequestSuccess:
    """The request was declined."""

    access_request: AccessRequest = strawberry.field(description="The request after the change.")


@mutation(
    "The request was not declined.",
    errors="What blocks the call, in the order of the input. A request that is no longer pending is `OTHER`; the message "
    "says how it ended. The viewer's own request is `NOT_ALLOWED`.",
)
async def decline_access_request(
    info: Info, input: DeclineAccessRequestInput
) -> DeclineAccessRequestSuccess | Refused[InvalidInput]:
    """Decline a request for access. Requires the role ADMIN. Nobody can decline their own request."""
    request_id = read_id("AccessRequest", input.access_request_id)
    outcome = await answering.decline(info.context.call, request_id, input.reason)
    if isinstance(outcome, Refused):
        return outcome
    return DeclineAccessRequestSuccess(access_request=AccessRequest.of(outcome))
