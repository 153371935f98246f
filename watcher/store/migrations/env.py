"""What Alembic runs: the revisions, over the connection and in the transaction that `upgrade` was given."""

from alembic import context

from watcher.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
