"""Runs the numbered migrations on the connection that engine/schema.py hands in."""

from __future__ import annotations

from alembic import context

from engine.records import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=False)
with context.begin_transaction():
    context.run_migrations()
