"""Alembic's environment and the store's migrations, shipped with the package."""
