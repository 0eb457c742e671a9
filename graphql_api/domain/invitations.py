"""Invitations into a Workspace: where one stands, which is told by its times."""

from datetime import datetime
from enum import StrEnum


class InvitationStatus(StrEnum):
    """Where an invitation stands. Only a pending one can be accepted."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    OTHER = "OTHER"


def status_of(
    *, accepted_at: datetime | None, revoked_at: datetime | None, expires_at: datetime, now: datetime
) -> InvitationStatus:
    """Where does an invitation stand now? What somebody did to it counts more than that its time is over."""
    if accepted_at is not None:
        return InvitationStatus.ACCEPTED
    if revoked_at is not None:
        return InvitationStatus.REVOKED
    return InvitationStatus.EXPIRED if expires_at <= now else InvitationStatus.PENDING
