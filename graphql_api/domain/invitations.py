"""Invitations into a Workspace: the status of one, which follows from its times."""

from datetime import datetime
from enum import StrEnum


class InvitationStatus(StrEnum):
    """The status of an invitation. Only a pending one can be accepted or declined."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    OTHER = "OTHER"


def status_of(
    *,
    accepted_at: datetime | None,
    declined_at: datetime | None,
    revoked_at: datetime | None,
    expires_at: datetime,
    now: datetime,
) -> InvitationStatus:
    """What is the status of an invitation now? What somebody did to it counts more than that it expired."""
    if accepted_at is not None:
        return InvitationStatus.ACCEPTED
    if declined_at is not None:
        return InvitationStatus.DECLINED
    if revoked_at is not None:
        return InvitationStatus.REVOKED
    return InvitationStatus.EXPIRED if expires_at <= now else InvitationStatus.PENDING
