"""Asking for access to a social account that a Workspace holds: when it may be asked, and answered."""

from enum import StrEnum

from graphql_api.domain.holders import Role
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode
from graphql_api.domain.permissions import Action, may

MAX_MESSAGE = 1000

ACCOUNT = ("input", "socialAccount")
_REQUEST = ("input", "accessRequestId")


class AccessRequestStatus(StrEnum):
    """The state of a request. All but PENDING are final."""

    PENDING = "PENDING"
    GRANTED = "GRANTED"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"
    CLOSED = "CLOSED"
    OTHER = "OTHER"


def why_not_ask_there(role: Role | None) -> InvalidInput | None:
    """What keeps the viewer from asking for anything in this Workspace?"""
    path = ("input", "workspaceId")
    if role is None:
        return InvalidInput(path, InvalidInputCode.NOT_FOUND, "There is no such Workspace")
    if role is Role.ADMIN:
        return InvalidInput(
            path,
            InvalidInputCode.NOT_ALLOWED,
            "You are an admin of this Workspace, so you can already see all of its social accounts",
        )
    return None


def why_not_ask_for(*, held: bool, sees: bool) -> InvalidInput | None:
    """What keeps a creator from asking for an account?

    `held` is whether this Workspace holds it, `sees` whether the creator sees it already.
    """
    path = (*ACCOUNT, "externalId")
    if not held:
        return InvalidInput(
            path, InvalidInputCode.NOT_FOUND, "The Workspace does not hold this social account"
        )
    if sees:
        return InvalidInput(path, InvalidInputCode.NOT_ALLOWED, "You can already see this social account")
    return None


def why_not_answer(role: Role | None, status: AccessRequestStatus, *, own: bool) -> InvalidInput | None:
    """What keeps a viewer who sees the request from granting or declining it? Nobody decides their own."""
    if not may(role, Action.ANSWER_REQUESTS):
        return InvalidInput(
            _REQUEST, InvalidInputCode.NOT_ALLOWED, "Only an admin of the Workspace can answer requests"
        )
    if own:
        return InvalidInput(
            _REQUEST, InvalidInputCode.NOT_ALLOWED, "You cannot answer your own request; you can withdraw it"
        )
    return why_not_end(status)


def why_not_withdraw(status: AccessRequestStatus, *, own: bool) -> InvalidInput | None:
    """What keeps a viewer who sees the request from withdrawing it?"""
    if not own:
        return InvalidInput(
            _REQUEST,
            InvalidInputCode.NOT_ALLOWED,
            "Only the requester can withdraw this request; you can decline it instead",
        )
    return why_not_end(status)


def why_not_end(status: AccessRequestStatus) -> InvalidInput | None:
    """What keeps a request from ending? It ends once; the message says how it did."""
    if status is AccessRequestStatus.PENDING:
        return None
    return InvalidInput(
        _REQUEST,
        InvalidInputCode.OTHER,
        f"This request is no longer pending: it was {status.lower()}",
    )


def why_not_grant(*, held: bool, is_member: bool) -> InvalidInput | None:
    """What keeps a pending request from being granted? It can be declined all the same."""
    if not is_member:
        return InvalidInput(
            _REQUEST, InvalidInputCode.OTHER, "The requester is no longer a member of the Workspace"
        )
    if not held:
        return InvalidInput(
            _REQUEST,
            InvalidInputCode.OTHER,
            "The Workspace no longer holds this social account; you can decline the request",
        )
    return None


def no_such_request() -> InvalidInput:
    """The answer to an id that names no request, or one that the viewer cannot see."""
    return InvalidInput(_REQUEST, InvalidInputCode.NOT_FOUND, "There is no such request")
