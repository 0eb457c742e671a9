"""Add teams, requests, mail and retries."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

EVENT_KINDS = (
    "USER_REGISTERED",
    "PASSWORD_CHANGED",
    "API_TOKEN_CREATED",
    "API_TOKEN_REVOKED",
    "EMAIL_VERIFIED",
    "PASSWORD_RESET",
    "WORKSPACE_CREATED",
    "WORKSPACE_RENAMED",
    "WORKSPACE_DELETED",
    "MEMBER_INVITED",
    "INVITATION_REVOKED",
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
    "ACCESS_REQUESTED",
    "ACCESS_REQUEST_WITHDRAWN",
    "ACCESS_REQUEST_GRANTED",
    "ACCESS_REQUEST_DECLINED",
    "ACCESS_TOKEN_READ",
    "OTHER",
)


def upgrade() -> None:
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "VERIFY_EMAIL",
                "RESET_PASSWORD",
                "ADDRESS_TAKEN",
                "INVITATION",
                "ACCESS_REQUESTED",
                "ACCESS_REQUEST_GRANTED",
                "ACCESS_REQUEST_DECLINED",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    with op.batch_alter_table("mails", schema=None) as batch_op:
        batch_op.create_index(
            "ix_mails_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("sent_at IS NULL"),
            postgresql_where=sa.text("sent_at IS NULL"),
        )

    op.create_table(
        "access_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("requester_id", sa.Uuid(), nullable=False),
        sa.Column(
            "platform",
            sa.Enum("INSTAGRAM", name="platform", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column(
            "external_id",
            sa.String(length=20).with_variant(sa.VARCHAR(length=20, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("username", sa.String(length=30), nullable=False),
        sa.Column("message", sa.String(length=1000), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "GRANTED",
                "DECLINED",
                "WITHDRAWN",
                "OTHER",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["users.id"],
            name=op.f("fk_access_requests_decided_by_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["requester_id"], ["users.id"], name=op.f("fk_access_requests_requester_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_access_requests_workspace_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_requests")),
    )
    with op.batch_alter_table("access_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_requests_decided_by_id"), ["decided_by_id"], unique=False)
        batch_op.create_index(
            "ix_access_requests_requester_page", ["requester_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_access_requests_workspace_page", ["workspace_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "uq_access_requests_pending",
            ["workspace_id", "requester_id", "platform", "external_id"],
            unique=True,
            sqlite_where=sa.text("status = 'PENDING'"),
            postgresql_where=sa.text("status = 'PENDING'"),
        )

    op.create_table(
        "email_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "VERIFY_EMAIL",
                "RESET_PASSWORD",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_email_codes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_email_codes_code_hash")),
    )
    with op.batch_alter_table("email_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_email_codes_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_email_codes_user_id"), ["user_id"], unique=False)

    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("input_hash", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotency_keys_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "operation", "key", name=op.f("pk_idempotency_keys")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_keys_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "access_request_teams",
        sa.Column("access_request_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["access_request_id"],
            ["access_requests.id"],
            name=op.f("fk_access_request_teams_access_request_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_access_request_teams_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("access_request_id", "team_id", name=op.f("pk_access_request_teams")),
    )
    with op.batch_alter_table("access_request_teams", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_request_teams_team_id"), ["team_id"], unique=False)

    op.create_index("ix_teams_page", "teams", ["workspace_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_team_members_page", "team_members", ["team_id", "created_at", "user_id"], unique=False
    )
    op.create_index("ix_shares_page", "shares", ["team_id", "created_at", "social_account_id"], unique=False)

    op.create_table(
        "past_shares",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("until_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_past_shares_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hold_id", "team_id", name=op.f("pk_past_shares")),
    )
    with op.batch_alter_table("past_shares", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_past_shares_team_id"), ["team_id"], unique=False)

    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_invitations_workspace_page", ["workspace_id", "created_at", "id"], unique=False
        )

    with op.batch_alter_table("social_accounts", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "username_key",
                sa.String(length=30).with_variant(sa.VARCHAR(length=30, collation="C"), "postgresql"),
                nullable=True,
            )
        )
        batch_op.create_index(
            "ix_social_accounts_user_names", ["holder_user_id", "username_key", "hold_id"], unique=False
        )
        batch_op.create_index(
            "ix_social_accounts_workspace_names",
            ["holder_workspace_id", "username_key", "hold_id"],
            unique=False,
        )
    binary = "" if op.get_context().dialect.name == "sqlite" else ' COLLATE "C"'
    op.execute(f"UPDATE social_accounts SET username_key = lower(username{binary})")  # noqa: S608 - no input

    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("events", schema=None) as batch_op:
        if op.get_context().dialect.name == "sqlite":  # the copied table keeps no CHECK of its own
            batch_op.create_check_constraint(
                op.f("ck_events_one_history"), "(user_id IS NULL) <> (workspace_id IS NULL)"
            )
        else:
            batch_op.drop_constraint(op.f("ck_events_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_events_kind"), sa.column("kind").in_(EVENT_KINDS))
        batch_op.create_index(batch_op.f("ix_events_created_at"), ["created_at"], unique=False)
