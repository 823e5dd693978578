"""Tokens of reproductions, which every server and client recognizes; other tokens are hexadecimal."""

from __future__ import annotations

START = "r"
LENGTH = 128  # of every token, as the SDK expects


def is_reproduction_token(token: str) -> bool:
    """Return whether a token is one of a reproduction."""
    return len(token) == LENGTH and token.startswith(START)
