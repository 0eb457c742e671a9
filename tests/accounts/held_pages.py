"""Facebook Pages that somebody holds, written into the database."""

import base64
from datetime import UTC, datetime
from uuid import uuid4

from graphql_api.adapters.sealing import Binding, Keyring, parse_keys
from graphql_api.domain.secrets import Secret
from graphql_api.settings import Settings
from tests.api import Person
from tests.database import Database, key_of


async def hold_page(
    database: Database,
    settings: Settings,
    person: Person,
    external_id: str = "2001",
    *,
    workspace: str | None = None,
    name: str = "Ada Bakes",
    facebook_account: str | None = None,
) -> str:
    """Have a place hold a Page that this person connected; its global id. The access token opens there."""
    hold_id, now = uuid4(), datetime.now(UTC)
    table, kind, holder = (
        ("users", "user", key_of(person.id))
        if workspace is None
        else ("workspaces", "workspace", key_of(workspace))
    )
    binding = Binding("social_accounts", "access_token", "FACEBOOK_PAGE", external_id, f"{kind}:{holder}")
    secret = Secret(person.api.canaries.access_token(f"page{external_id}"))
    sealed = Keyring(parse_keys(settings.sealing_keys)).seal(secret, binding)
    await database.insert(
        "social_accounts",
        id=uuid4(),
        platform="FACEBOOK_PAGE",
        external_id=external_id,
        hold_id=hold_id,
        **{f"holder_{kind}_id": holder},
        display_name=name,
        display_name_key=name.lower(),
        connected_by_id=key_of(person.id),
        access_token=str(sealed),
        created_at=now,
        updated_at=now,
    )
    if facebook_account:
        login = database.literal(key_of(facebook_account))
        await database.rows(
            f"UPDATE social_accounts SET facebook_account_id = {login} "
            f"WHERE hold_id = {database.literal(hold_id)}"
        )
    await database.rows(
        f"UPDATE {table} SET held_count = held_count + 1 WHERE id = {database.literal(holder)}"
    )
    return base64.b64encode(f"FacebookPage:{hold_id}".encode()).decode()
