"""The claim: everything that a call connects, written at once or not at all, with its events and its key."""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

import orjson

from graphql_api.domain.events import QUIET_AFTER_RECONNECT
from graphql_api.domain.health import FIRST_CHECK_AFTER
from graphql_api.domain.holders import Role
from graphql_api.domain.platforms import Platform
from graphql_api.domain.secrets import Sealed
from graphql_api.storage import claiming_postgresql, claiming_sqlite
from graphql_api.storage.rows import FacebookAccountRow, SocialAccountRow


class NewClaim(TypedDict):
    """What a social account becomes if it is free or ours; without a Page, what is known of one stays."""

    platform: Platform
    external_id: str
    display_name: str
    display_name_key: str
    profile_picture_url: str | None
    facebook_page_id: str | None
    access_token: Sealed


@dataclass(frozen=True, slots=True)
class NewLogin:
    """What a user's Facebook account becomes; `new_id` is its id if it is new."""

    new_id: UUID
    facebook_user_id: str
    location: str | None
    access_token: Sealed


@dataclass(frozen=True, slots=True)
class NewProof:
    """What Meta said of the login and of all claims of a call, and when each access token ends.

    Without a source nobody was asked: an earlier proof stays, but says nothing of the new access token.
    """

    source: str | None = None
    proven_at: datetime | None = None
    login_breaks_at: datetime | None = None
    breaks_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """The idempotency key of a call, kept with its outcome; `not_connected` is that part of it, as JSON.

    Without a key nothing is kept.
    """

    operation: str
    key: str | None = None
    input_hash: bytes | None = None
    expires_at: datetime | None = None
    not_connected: str = "[]"


@dataclass(frozen=True, slots=True)
class ClaimedRows:
    """What one statement connected, in input order; True beside the accounts that were free before."""

    facebook_account: FacebookAccountRow
    accounts: Sequence[tuple[bool, SocialAccountRow]]


@dataclass(frozen=True, slots=True)
class Claiming:
    """What is to be connected: to a Workspace if there is one, else to the user's Personal.

    Into a Workspace only in one of the `roles`.
    """

    user_id: UUID
    workspace_id: UUID | None
    api_token_id: UUID
    now: datetime
    login: NewLogin
    claims: Sequence[NewClaim]
    limit: int
    roles: Collection[Role]
    request_id: str
    key: NewKey
    proof: NewProof = NewProof()

    @property
    def repeatable(self) -> bool:
        """Is an idempotency key kept with it, so that it writes nothing the second time?"""
        return self.key.key is not None

    def on_postgresql(self) -> tuple[str, tuple[object, ...]]:
        """The statement for its place."""
        place = claiming_postgresql.INTO_PERSONAL
        if self.workspace_id is not None:
            place = claiming_postgresql.INTO_WORKSPACE
        claims = orjson.dumps(self.claims).decode()
        return place.sql, place.arguments({**self._values(), "claims": claims})

    def on_sqlite(self, connection: sqlite3.Connection) -> list[Any]:
        """The same in one transaction."""
        return claiming_sqlite.claim(connection, self._values(), self.claims)

    def read(self, rows: Sequence[Any]) -> ClaimedRows | None:
        """What the statement returned, with what it was told; None when it wrote nothing."""
        if not rows:
            return None
        login, now, proof = self.login, self.now, self.proof
        login_id, login_source, login_since = rows[0][:3]
        holder_user_id = self.user_id if self.workspace_id is None else None
        accounts = [
            (
                is_new,
                SocialAccountRow(
                    id=row_id,
                    platform=claim["platform"],
                    external_id=claim["external_id"],
                    hold_id=hold_id,
                    holder_user_id=holder_user_id,
                    holder_workspace_id=self.workspace_id,
                    display_name=claim["display_name"],
                    nickname=nickname,
                    profile_picture_url=claim["profile_picture_url"],
                    facebook_page_id=facebook_page_id,
                    facebook_account_id=login_id,
                    connected_by_id=self.user_id,
                    proof_source=proof_source,
                    checked_at=proof.proven_at,
                    health_since=now,
                    health_problem=None,
                    health_details=None,
                    breaks_at=proof.breaks_at,
                    created_at=since,
                    updated_at=now,
                ),
            )
            for claim, (*_, is_new, row_id, hold_id, nickname, facebook_page_id, proof_source, since) in zip(
                self.claims, rows, strict=bool(self.claims)
            )
        ]
        return ClaimedRows(
            FacebookAccountRow(
                id=login_id,
                user_id=self.user_id,
                facebook_user_id=login.facebook_user_id,
                location=login.location,
                proof_source=login_source,
                checked_at=proof.proven_at,
                health_since=now,
                health_problem=None,
                health_details=None,
                breaks_at=proof.login_breaks_at,
                created_at=login_since,
                updated_at=now,
            ),
            accounts,
        )

    def _values(self) -> dict[str, Any]:
        return {
            "user_id": self.user_id,
            "workspace_id": self.workspace_id,
            "api_token_id": self.api_token_id,
            "now": self.now,
            "login_id": self.login.new_id,
            "facebook_user_id": self.login.facebook_user_id,
            "location": self.login.location,
            "login_access_token": self.login.access_token,
            "limit": self.limit,
            "roles": list(self.roles),
            "request_id": self.request_id,
            "operation": self.key.operation,
            "key": self.key.key,
            "input_hash": self.key.input_hash,
            "expires_at": self.key.expires_at,
            "not_connected": self.key.not_connected,
            "proof_source": self.proof.source,
            "proof_login": None if self.proof.source is None else self.login.facebook_user_id,
            "proven_at": self.proof.proven_at,
            "login_breaks_at": self.proof.login_breaks_at,
            "breaks_at": self.proof.breaks_at,
            "next_check_at": self.now + FIRST_CHECK_AFTER,
            "told_since": self.now - QUIET_AFTER_RECONNECT,
        }
