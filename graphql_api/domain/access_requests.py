"""Asking for access to a social account that a Workspace holds."""

from enum import StrEnum


class AccessRequestStatus(StrEnum):
    """Where a request stands. Everything but PENDING is final."""

    PENDING = "PENDING"
    GRANTED = "GRANTED"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"
    OTHER = "OTHER"
