"""Signatures of reports: Ed25519, with a key of the store's own, whose public half is part of the report."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing
from autoflow.server import timestamps
from autoflow.server.db.erasure_tables import signing_keys

_SIGNATURE = "signature"


def sign(conn: Connection, report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report with the store's public key and a signature, in a write transaction.

    Raises:
        ServerExtraMissing: the package that signs is not installed.
    """
    ed25519 = _ed25519()
    row = conn.execute(select(signing_keys.c.private)).first()
    if row is None:
        key = ed25519.Ed25519PrivateKey.generate()
        public = _encode(key.public_key().public_bytes_raw())
        private = _encode(key.private_bytes_raw())
        conn.execute(insert(signing_keys).values(public=public, private=private, created_at=timestamps.now()))
    else:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(row.private))
        public = _encode(key.public_key().public_bytes_raw())
    signed = {**report, "publicKey": public}
    return {**signed, _SIGNATURE: _encode(key.sign(_message(signed)))}


def is_valid(report: Mapping[str, Any]) -> bool:
    """Return whether a report is as it was signed with the key that it has.

    Raises:
        ServerExtraMissing: the package that verifies is not installed.
    """
    from cryptography.exceptions import InvalidSignature

    signed = {name: value for name, value in report.items() if name != _SIGNATURE}
    try:
        key = _ed25519().Ed25519PublicKey.from_public_bytes(base64.b64decode(report["publicKey"], validate=True))
        key.verify(base64.b64decode(report[_SIGNATURE], validate=True), _message(signed))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return False
    return True


def check_available() -> None:
    """Check that reports can be signed.

    Raises:
        ServerExtraMissing: the package is not installed.
    """
    _ed25519()


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise ServerExtraMissing(f"reports of erasures are signed by more: {install('server')} ({error})") from error
    return ed25519


def _message(report: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed: canonical JSON."""
    return json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
