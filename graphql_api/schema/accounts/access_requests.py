"""Asking for access to a social account of a Workspace, taking it back, and answering."""

from typing import Annotated

import strawberry

from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.access_request import AccessRequest
from graphql_api.schema.context import Info
from graphql_api.schema.errors import InvalidInput, invalid_inputs
from graphql_api.schema.ids import read_id
from graphql_api.services.accounts import access_requests
from graphql_api.services.accounts.access_requests import AskCommand


@strawberry.input(description="What to ask for.")
class RequestSocialAccountAccessInput:
    """One request."""

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
            username=self.username,
            message=self.message,
        )


@strawberry.type(description="The request is pending.")
class RequestSocialAccountAccessSuccess:
    """A success."""

    access_request: AccessRequest = strawberry.field(
        description="The request; if the viewer has asked before and nobody has answered yet, that one, as it was."
    )


RequestSocialAccountAccessError = Annotated[
    InvalidInput,
    strawberry.union(
        "RequestSocialAccountAccessError", description="What can stand in the way of asking. Closed."
    ),
]


@strawberry.type(description="Nothing was asked.")
class RequestSocialAccountAccessFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[RequestSocialAccountAccessError] = strawberry.field(
        description="What stood in the way. An account that the Workspace does not hold is `NOT_FOUND`; one that the viewer "
        "sees already is `NOT_ALLOWED`, and so is an admin's request."
    )


RequestSocialAccountAccessResult = Annotated[
    RequestSocialAccountAccessSuccess | RequestSocialAccountAccessFailure,
    strawberry.union("RequestSocialAccountAccessResult", description="What came of asking. Closed."),
]


@strawberry.input(description="Which request to take back.")
class WithdrawAccessRequestInput:
    """One withdrawal."""

    access_request_id: strawberry.ID = strawberry.field(description="A pending request of the viewer's own.")


@strawberry.type(description="The request is withdrawn.")
class WithdrawAccessRequestSuccess:
    """A success."""

    access_request: AccessRequest = strawberry.field(description="The request as it stands now.")


WithdrawAccessRequestError = Annotated[
    InvalidInput,
    strawberry.union(
        "WithdrawAccessRequestError", description="What can stand in the way of withdrawing. Closed."
    ),
]


@strawberry.type(description="Nothing was withdrawn.")
class WithdrawAccessRequestFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[WithdrawAccessRequestError] = strawberry.field(
        description="What stood in the way. A request that is not pending any more is `OTHER`."
    )


WithdrawAccessRequestResult = Annotated[
    WithdrawAccessRequestSuccess | WithdrawAccessRequestFailure,
    strawberry.union("WithdrawAccessRequestResult", description="What came of withdrawing. Closed."),
]


@strawberry.input(description="Which request to grant, and through which teams.")
class GrantAccessRequestInput:
    """One yes."""

    access_request_id: strawberry.ID = strawberry.field(
        description="A pending request to a Workspace that the viewer is an admin of."
    )
    team_ids: list[strawberry.ID] = strawberry.field(
        description="Teams of that Workspace, 1 to 100, each once. The social account is shared with them, and the requester "
        "is added to them."
    )


@strawberry.type(description="The request is granted: the requester sees the social account.")
class GrantAccessRequestSuccess:
    """A success."""

    access_request: AccessRequest = strawberry.field(description="The request as it stands now.")


GrantAccessRequestError = Annotated[
    InvalidInput,
    strawberry.union("GrantAccessRequestError", description="What can stand in the way of granting. Closed."),
]


@strawberry.type(description="Nothing was granted.")
class GrantAccessRequestFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[GrantAccessRequestError] = strawberry.field(
        description="What stood in the way. A request that is not pending any more, or whose social account the Workspace does "
        "not hold any more, is `OTHER`."
    )


GrantAccessRequestResult = Annotated[
    GrantAccessRequestSuccess | GrantAccessRequestFailure,
    strawberry.union("GrantAccessRequestResult", description="What came of granting. Closed."),
]


@strawberry.input(description="Which request to decline.")
class DeclineAccessRequestInput:
    """One no."""

    access_request_id: strawberry.ID = strawberry.field(
        description="A pending request to a Workspace that the viewer is an admin of."
    )
    reason: str | None = strawberry.field(
        default=None,
        description="What to tell the requester, if anything: at most 1000 characters, line breaks allowed.",
    )


@strawberry.type(description="The request is declined.")
class DeclineAccessRequestSuccess:
    """A success."""

    access_request: AccessRequest = strawberry.field(description="The request as it stands now.")


DeclineAccessRequestError = Annotated[
    InvalidInput,
    strawberry.union(
        "DeclineAccessRequestError", description="What can stand in the way of declining. Closed."
    ),
]


@strawberry.type(description="Nothing was declined.")
class DeclineAccessRequestFailure:
    """A failure."""

    message: str = strawberry.field(description="A sentence for people, over all errors.")
    errors: list[DeclineAccessRequestError] = strawberry.field(
        description="What stood in the way. A request that is not pending any more is `OTHER`."
    )


DeclineAccessRequestResult = Annotated[
    DeclineAccessRequestSuccess | DeclineAccessRequestFailure,
    strawberry.union("DeclineAccessRequestResult", description="What came of declining. Closed."),
]


@strawberry.type
class AccessRequestMutations:
    """The mutations of this noun."""

    @strawberry.mutation(
        description="Ask the admins of a Workspace for access to an Instagram account that it holds and the viewer, a creator "
        "there, does not see: what `REQUEST_ACCESS` offers. Asking again gives back the request that is pending."
    )
    async def request_social_account_access(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            RequestSocialAccountAccessInput, strawberry.argument(description="What to ask for.")
        ],
    ) -> RequestSocialAccountAccessResult:
        """By the creator who was refused."""
        outcome = await access_requests.ask(info.context.call, input.to_command())
        if isinstance(outcome, Refused):
            return RequestSocialAccountAccessFailure(
                message="Nothing was asked.", errors=invalid_inputs(outcome.problems)
            )
        return RequestSocialAccountAccessSuccess(access_request=AccessRequest.of(outcome))

    @strawberry.mutation(description="Take a pending request for access back; for who asked.")
    async def withdraw_access_request(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            WithdrawAccessRequestInput, strawberry.argument(description="Which request.")
        ],
    ) -> WithdrawAccessRequestResult:
        """The requester only."""
        request_id = read_id("AccessRequest", input.access_request_id)
        outcome = await access_requests.withdraw(info.context.call, request_id)
        if isinstance(outcome, Refused):
            return WithdrawAccessRequestFailure(
                message="Nothing was withdrawn.", errors=invalid_inputs(outcome.problems)
            )
        return WithdrawAccessRequestSuccess(access_request=AccessRequest.of(outcome))

    @strawberry.mutation(
        description="Grant a request for access: the social account is shared with these teams, and the requester is added to "
        "them; for admins of the Workspace."
    )
    async def grant_access_request(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            GrantAccessRequestInput, strawberry.argument(description="Which request, and which teams.")
        ],
    ) -> GrantAccessRequestResult:
        """An admin's yes."""
        outcome = await access_requests.grant(
            info.context.call,
            read_id("AccessRequest", input.access_request_id),
            [read_id("Team", text) for text in input.team_ids],
        )
        if isinstance(outcome, Refused):
            return GrantAccessRequestFailure(
                message="Nothing was granted.", errors=invalid_inputs(outcome.problems)
            )
        return GrantAccessRequestSuccess(access_request=AccessRequest.of(outcome))

    @strawberry.mutation(description="Decline a request for access; for admins of the Workspace.")
    async def decline_access_request(
        self,
        info: Info,
        input: Annotated[  # noqa: A002 - the argument's name in the schema
            DeclineAccessRequestInput, strawberry.argument(description="Which request, and why.")
        ],
    ) -> DeclineAccessRequestResult:
        """An admin's no."""
        request_id = read_id("AccessRequest", input.access_request_id)
        outcome = await access_requests.decline(info.context.call, request_id, input.reason)
        if isinstance(outcome, Refused):
            return DeclineAccessRequestFailure(
                message="Nothing was declined.", errors=invalid_inputs(outcome.problems)
            )
        return DeclineAccessRequestSuccess(access_request=AccessRequest.of(outcome))
