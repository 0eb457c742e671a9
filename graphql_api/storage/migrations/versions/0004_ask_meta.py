"""Ask Meta: what it said of each access token, and the events of access that broke and recovered."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

PROBLEMS = (
    "EXPIRED",
    "REVOKED",
    "CHECKPOINT",
    "MISSING_PERMISSION",
    "ROLE_TOO_WEAK",
    "WRONG_ACCOUNT",
    "WRONG_LOGIN",
    "WRONG_APP",
    "MALFORMED",
    "UNVERIFIABLE",
    "OTHER",
)
EVENT_KINDS = (
    "USER_REGISTERED",
    "PROFILE_UPDATED",
    "PASSWORD_CHANGED",
    "API_TOKEN_CREATED",
    "API_TOKEN_REVOKED",
    "EMAIL_VERIFIED",
    "EMAIL_ADDRESS_CHANGED",
    "PASSWORD_RESET",
    "WORKSPACE_CREATED",
    "WORKSPACE_RENAMED",
    "WORKSPACE_DELETED",
    "MEMBER_INVITED",
    "INVITATION_REVOKED",
    "INVITATION_DECLINED",
    "MEMBER_JOINED",
    "MEMBER_ROLE_CHANGED",
    "MEMBER_REMOVED",
    "MEMBER_LEFT",
    "TEAM_CREATED",
    "TEAM_RENAMED",
    "TEAM_DELETED",
    "TEAM_MEMBER_ADDED",
    "TEAM_MEMBER_REMOVED",
    "FACEBOOK_ACCOUNT_CONNECTED",
    "FACEBOOK_ACCOUNT_RECONNECTED",
    "FACEBOOK_ACCOUNT_DISCONNECTED",
    "SOCIAL_ACCOUNT_CONNECTED",
    "SOCIAL_ACCOUNT_RECONNECTED",
    "SOCIAL_ACCOUNT_DISCONNECTED",
    "SOCIAL_ACCOUNT_MOVED",
    "SOCIAL_ACCOUNT_RENAMED",
    "SOCIAL_ACCOUNT_SHARED",
    "SOCIAL_ACCOUNT_UNSHARED",
    "SOCIAL_ACCOUNT_BROKE",
    "SOCIAL_ACCOUNT_RECOVERED",
    "ACCESS_REQUESTED",
    "ACCESS_REQUEST_WITHDRAWN",
    "ACCESS_REQUEST_GRANTED",
    "ACCESS_REQUEST_DECLINED",
    "ACCESS_REQUEST_CLOSED",
    "ACCESS_TOKEN_READ",
    "OTHER",
)
PLATFORMS = ("INSTAGRAM", "FACEBOOK_PAGE")


def upgrade() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"

    with op.batch_alter_table("facebook_accounts", schema=None) as batch_op:
        _watch(batch_op, "facebook_accounts")

    with op.batch_alter_table("social_accounts", schema=None) as batch_op:
        _watch(batch_op, "social_accounts")
        batch_op.add_column(sa.Column("access_version", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("proof_login", sa.String(length=20), nullable=True))
        batch_op.add_column(_time("proven_at"))
        batch_op.add_column(_time("doubted_at"))
        if is_sqlite:  # the copied table keeps no CHECK of its own
            batch_op.create_check_constraint(
                op.f("ck_social_accounts_one_holder"), "holder_user_id IS NULL OR holder_workspace_id IS NULL"
            )
            batch_op.create_check_constraint(
                op.f("ck_social_accounts_free_is_empty"),
                "(hold_id IS NULL) = (holder_user_id IS NULL AND holder_workspace_id IS NULL)"
                " AND (hold_id IS NULL) = (access_token IS NULL)",
            )
            batch_op.create_check_constraint(
                op.f("ck_social_accounts_platform"), sa.column("platform").in_(PLATFORMS)
            )

    name = op.f("ck_events_kind")
    with op.batch_alter_table("events", schema=None) as batch_op:
        if is_sqlite:
            batch_op.create_check_constraint(
                op.f("ck_events_one_history"), "(user_id IS NULL) <> (workspace_id IS NULL)"
            )
            batch_op.create_check_constraint(op.f("ck_events_platform"), sa.column("platform").in_(PLATFORMS))
        else:
            batch_op.drop_constraint(name, type_="check")
        batch_op.create_check_constraint(name, sa.column("kind").in_(EVENT_KINDS))


def _watch(batch_op: Any, table: str) -> None:
    for column in (
        sa.Column("proof_source", sa.String(length=40), nullable=True),
        _time("checked_at"),
        _time("health_since"),
        sa.Column("health_problem", sa.String(length=40), nullable=True),
        sa.Column("health_details", sa.String(length=500), nullable=True),
        _time("breaks_at"),
    ):
        batch_op.add_column(column)
    batch_op.create_check_constraint(
        op.f(f"ck_{table}_health_problem"), sa.column("health_problem").in_(PROBLEMS)
    )


def _time(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)
