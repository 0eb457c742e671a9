"""What Alembic runs for every command: on the connection and in the transaction that it is given."""

from alembic import context

from graphql_api.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
