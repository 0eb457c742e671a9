"""What Alembic runs for every command: on the connection and in the transaction that it is given."""

from typing import Any, Literal

from alembic import context
from sqlmodel.sql.sqltypes import AutoString

from graphql_api.storage.columns import SealedText, UtcDateTime
from graphql_api.storage.tables import metadata


def render_item(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write our own column types as what they are in the database: a revision never imports the package."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, SealedText):
        return "sa.Text()"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=render_item,
    compare_type=True,
)
context.run_migrations()
