"""Asking for the transfer of a social account, answering, and taking a request back."""

from typing import Annotated

import strawberry

from graphql_api.domain import inputs
from graphql_api.domain.refusals import Refused
from graphql_api.schema.accounts.connecting import (
    FacebookAccountInput,
    FacebookPageInput,
    InstagramAccountInput,
    claims_of,
)
from graphql_api.schema.accounts.transfer_request import TransferRequest
from graphql_api.schema.context import Info
from graphql_api.schema.described import arguments, output
from graphql_api.schema.errors import AccessTokenRejected, HeldByPersonal, HeldByWorkspace, InvalidInput
from graphql_api.schema.ids import read_id
from graphql_api.schema.mutation import mutation
from graphql_api.services.accounts import transferring
from graphql_api.services.accounts.transferring import TransferRefused

_ONE = "All lists of a call together have exactly one account."


RequestSocialAccountTransferError = Annotated[
    InvalidInput | HeldByPersonal | HeldByWorkspace | AccessTokenRejected,
    strawberry.union(
        "RequestSocialAccountTransferError",
        description="The errors of `requestSocialAccountTransfer`. The list of types is closed.",
    ),
]


@arguments
class RequestSocialAccountTransferInput:
    """The social account to ask for, and the Facebook login that proves control of it: the input of a connect."""

    facebook_account: FacebookAccountInput = strawberry.field(
        description="The login that controls the account. Its access token is not kept."
    )
    instagram_accounts: list[InstagramAccountInput] = strawberry.field(
        default_factory=list, description=f"The Instagram account to ask for. {_ONE}"
    )
    facebook_pages: list[FacebookPageInput] = strawberry.field(
        default_factory=list, description=f"The Facebook Page to ask for. {_ONE}"
    )


@output
class RequestSocialAccountTransferSuccess:
    """The account was asked for."""

    transfer_request: TransferRequest = strawberry.field(
        description="The new request. If the viewer has an open request for this account, that one, unchanged."
    )


@mutation(
    "The account was not asked for.",
    errors="What blocks the call, in the order of the input. An account that nobody holds is `NOT_FOUND`: connect it. "
    "`HeldByPersonal` and `HeldByWorkspace`: the viewer can move it. `DUPLICATE`: the viewer can reconnect it where it is, "
    "or another user with the same login has asked. `NOT_ALLOWED` at `input`: the viewer's e-mail address is not verified, "
    "or there are no transfers on this server now.",
    union=RequestSocialAccountTransferError,
)
async def request_social_account_transfer(
    info: Info, input: RequestSocialAccountTransferInput
) -> RequestSocialAccountTransferSuccess | TransferRefused:
    """Ask for a social account that another place holds. Offer it where a conflict has `REQUEST_TRANSFER`.

    The login needs the task MANAGE. If Meta confirms that the holder controls the account too, the holder decides. If
    not, the holder has a few days to prove it. Then the viewer can connect the account. Asking again returns the open
    request.
    """
    outcome = await transferring.ask(
        info.context.call,
        input.facebook_account.to_login(),
        claims_of(input.instagram_accounts, input.facebook_pages),
    )
    if isinstance(outcome, Refused):
        return outcome
    return RequestSocialAccountTransferSuccess(transfer_request=TransferRequest.of(outcome))


@arguments
class AcceptTransferRequestInput:
    """The request to accept."""

    transfer_request_id: strawberry.ID = strawberry.field(
        description="A request of which `viewerCan` has `ACCEPT`."
    )


@output
class AcceptTransferRequestSuccess:
    """The request is granted: the person who asked can connect the account, and until then it stays where it is."""

    transfer_request: TransferRequest = strawberry.field(description="The request after the change.")


@mutation(
    "The request was not accepted.",
    errors="What blocks the call. A request that is no longer open is `OTHER`; the message says how it ended. The viewer's "
    "own request is `NOT_ALLOWED`.",
)
async def accept_transfer_request(
    info: Info, input: AcceptTransferRequestInput
) -> AcceptTransferRequestSuccess | Refused[inputs.InvalidInput]:
    """Let the person who asked connect a social account that this place holds. Requires the role ADMIN in a Workspace."""
    request_id = read_id("TransferRequest", input.transfer_request_id)
    outcome = await transferring.accept(info.context.call, request_id)
    if isinstance(outcome, Refused):
        return outcome
    return AcceptTransferRequestSuccess(transfer_request=TransferRequest.of(outcome))


@arguments
class DeclineTransferRequestInput:
    """The request to decline."""

    transfer_request_id: strawberry.ID = strawberry.field(
        description="A request of which `viewerCan` has `DECLINE`."
    )


@output
class DeclineTransferRequestSuccess:
    """The request was declined: the account stays where it is."""

    transfer_request: TransferRequest = strawberry.field(description="The request after the change.")


@mutation(
    "The request was not declined.",
    errors="What blocks the call. A request that is no longer open is `OTHER`; the message says how it ended. The viewer's "
    "own request is `NOT_ALLOWED`.",
)
async def decline_transfer_request(
    info: Info, input: DeclineTransferRequestInput
) -> DeclineTransferRequestSuccess | Refused[inputs.InvalidInput]:
    """Keep a social account that somebody asked for. Requires the role ADMIN in a Workspace.

    It can be asked for again after 30 days, or at once if Meta no longer confirms that the holder controls it.
    """
    request_id = read_id("TransferRequest", input.transfer_request_id)
    outcome = await transferring.decline(info.context.call, request_id)
    if isinstance(outcome, Refused):
        return outcome
    return DeclineTransferRequestSuccess(transfer_request=TransferRequest.of(outcome))


@arguments
class WithdrawTransferRequestInput:
    """The request to withdraw."""

    transfer_request_id: strawberry.ID = strawberry.field(
        description="A request of which `viewerCan` has `WITHDRAW`."
    )


@output
class WithdrawTransferRequestSuccess:
    """The request was withdrawn."""

    transfer_request: TransferRequest = strawberry.field(description="The request after the change.")


@mutation(
    "The request was not withdrawn.",
    errors="What blocks the call. A request that is no longer open is `OTHER`; the message says how it ended.",
)
async def withdraw_transfer_request(
    info: Info, input: WithdrawTransferRequestInput
) -> WithdrawTransferRequestSuccess | Refused[inputs.InvalidInput]:
    """Withdraw a request for a transfer. Only the person who asked can."""
    request_id = read_id("TransferRequest", input.transfer_request_id)
    outcome = await transferring.withdraw(info.context.call, request_id)
    if isinstance(outcome, Refused):
        return outcome
    return WithdrawTransferRequestSuccess(transfer_request=TransferRequest.of(outcome))
