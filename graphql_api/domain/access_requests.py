"""Asking for access to a social account that a Workspace holds: when it may be asked, and answered."""

from enum import StrEnum

from graphql_api.domain.holders import Role
from graphql_api.domain.inputs import InvalidInput, InvalidInputCode
from graphql_api.domain.permissions import may_answer_access_requests

MAX_MESSAGE = 1000

_REQUEST = ("input", "accessRequestId")


class AccessRequestStatus(StrEnum):
    """Where a request stands. Everything but PENDING is final."""

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
            "You are an admin of this Workspace, and see all of its social accounts",
        )
    return None


def why_not_ask_for(*, held: bool, sees: bool) -> InvalidInput | None:
    """What keeps a creator from asking for an account? Only what their Workspace holds unseen is asked for.

    `held` is whether this Workspace holds it; `sees` whether the creator sees it already.
    """
    path = ("input", "instagramUserId")
    if not held:
        return InvalidInput(
            path, InvalidInputCode.NOT_FOUND, "The Workspace does not hold this Instagram account"
        )
    if sees:
        return InvalidInput(path, InvalidInputCode.NOT_ALLOWED, "You see this Instagram account already")
    return None


def why_not_answer(role: Role | None, status: AccessRequestStatus) -> InvalidInput | None:
    """What keeps a viewer who sees the request from granting or declining it?"""
    if not may_answer_access_requests(role):
        return InvalidInput(
            _REQUEST, InvalidInputCode.NOT_ALLOWED, "Only an admin of the Workspace answers requests"
        )
    return why_not_end(status)


def why_not_withdraw(status: AccessRequestStatus, *, own: bool) -> InvalidInput | None:
    """What keeps a viewer who sees the request from withdrawing it?"""
    if not own:
        return InvalidInput(
            _REQUEST, InvalidInputCode.NOT_ALLOWED, "Only who asked withdraws a request; decline it instead"
        )
    return why_not_end(status)


def why_not_end(status: AccessRequestStatus) -> InvalidInput | None:
    """What keeps a request from ending once more? It ends once: whoever comes second is told how."""
    if status is AccessRequestStatus.PENDING:
        return None
    return InvalidInput(
        _REQUEST,
        InvalidInputCode.OTHER,
        f"This request is not pending any more: it was {status.lower()}",
    )


def why_not_grant(*, held: bool, is_member: bool) -> InvalidInput | None:
    """What keeps a pending request from being granted? It can be declined all the same."""
    if not is_member:
        return InvalidInput(
            _REQUEST, InvalidInputCode.OTHER, "Who asked is not a member of the Workspace any more"
        )
    if not held:
        return InvalidInput(
            _REQUEST,
            InvalidInputCode.OTHER,
            "The Workspace does not hold this social account any more; decline the request",
        )
    return None


def no_such_request() -> InvalidInput:
    """The answer to an id that names no request, or one that the viewer cannot see."""
    return InvalidInput(_REQUEST, InvalidInputCode.NOT_FOUND, "There is no such request")
