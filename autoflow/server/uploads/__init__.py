"""Upload sessions, and files that stay where they are."""
