"""Requests for the transfer of a social account that another place holds."""

from datetime import datetime
from typing import Self

import strawberry

from graphql_api.domain.platforms import Platform
from graphql_api.domain.transfers import TransferRequestAction, TransferRequestStatus
from graphql_api.schema.described import output
from graphql_api.schema.ids import write_id
from graphql_api.schema.nodes import Node
from graphql_api.services.accounts.transfer_requests import Shown


@output
class TransferRequest(Node):
    """A request to have a social account that another place holds, by somebody who controls it at Meta.

    The person who asked sees it, and those who decide for the place that holds the account. A granted request moves
    nothing: the person who asked connects the account with `connectSocialAccounts`.
    """

    platform: Platform = strawberry.field(description="The platform that the social account is on.")
    external_id: str = strawberry.field(description="The platform's id of the social account.")
    display_name: str = strawberry.field(
        description="The social account's name, as Meta shows it to who asked."
    )
    transfer_status: TransferRequestStatus = strawberry.field(description="The state of the request now.")
    decides_at: datetime | None = strawberry.field(
        description="When the state changes if nobody does anything: `HOLDER_DECIDES` lapses, `NOTICE` is granted, `GRANTED` "
        "lapses. Null in a final state."
    )
    created_at: datetime = strawberry.field(description="When it was asked.")
    viewer_can: list[TransferRequestAction] = strawberry.field(
        description="What the viewer can do about it now. Show one button for each."
    )
    requester_name: str | None = strawberry.field(
        description="The name of the person who asked, in their own words. Null unless the viewer decides."
    )
    requester_email: str | None = strawberry.field(
        description="The verified e-mail address of the person who asked. Null unless the viewer decides."
    )

    @classmethod
    def of(cls, shown: Shown) -> Self:
        """Shape a request as the viewer sees it."""
        row, (name, email) = shown.known.row, shown.requester or (None, None)
        return cls(
            id=write_id("TransferRequest", row.id),
            platform=row.platform,
            external_id=row.external_id,
            display_name=row.display_name,
            transfer_status=shown.state.status,
            decides_at=shown.state.decides_at,
            created_at=row.created_at,
            viewer_can=list(shown.actions),
            requester_name=name,
            requester_email=email,
        )
