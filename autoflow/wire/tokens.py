"""Tokens of reproductions and of browsers' sessions, recognized by their first letter; other tokens are hexadecimal."""

from __future__ import annotations

START = "r"
SESSION_START = "s"
LENGTH = 128  # of every token, as the SDK expects


def is_reproduction_token(token: str) -> bool:
    """Return whether a token is one of a reproduction."""
    return len(token) == LENGTH and token.startswith(START)


def is_session_token(token: str) -> bool:
    """Return whether a token is the session of a browser."""
    return len(token) == LENGTH and token.startswith(SESSION_START)
