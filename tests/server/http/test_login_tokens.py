"""ID tokens that are not those of the provider, of this client, or of this sign-in."""

from __future__ import annotations

import contextlib
import re
from urllib.parse import parse_qs, urlsplit

from autoflow.server.server import Server
from autoflow.server.sign_in.options import OidcOptions, RoleRule
from tests.oidc_provider import SECRET, Browser
from tests.serving import served
from tests.signing_provider import signing_provider

CHANGES = {
    "another issuer": {"iss": "https://evil.example"},
    "another client": {"aud": "another"},
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "expired": {"exp": 1},
    "issued later": {"iat": 9_999_999_999},
    "no subject": {"sub": None},
}

REASONS = (
    *("iss", "aud", "nonce", "nonce", "expired", "future", "sub"),
    *("bad_signature", "HS256", "none", "another user", "not verified", "no login"),
)


def test_a_token_is_verified(tmp_path):
    """Each claim, the algorithm and the key are checked, and the user info is of the token's subject."""
    with (
        contextlib.closing(Server.open(tmp_path)) as server,
        signing_provider(SECRET) as provider,
        contextlib.ExitStack() as closing,
    ):
        issuer, provider.issuer = provider.issuer, "https://evil.example"

        def options(url):
            return OidcOptions(issuer, "autoflow", SECRET, url, roles=(RoleRule("Vision"),))

        url = closing.enter_context(served(server, auth=True, oidc=options))
        browser = closing.enter_context(Browser(url))
        assert browser.open("/login/start").status_code == 503  # the metadata are another issuer's
        provider.issuer = issuer

        reasons = []

        def status(change=(), signature="own", user_info=None):
            query = parse_qs(urlsplit(browser.open("/login/start").headers["Location"]).query)
            claims = {**provider.valid_claims(query["nonce"][0]), **dict(change)}
            provider.claims = {name: value for name, value in claims.items() if value is not None}
            provider.signature, provider.user_info = signature, user_info or {}
            response = browser.open(f"/login/callback?code=c&state={query['state'][0]}")
            reasons.append(re.search(r'role="alert">(.*?)</p>', response.text))
            return response.status_code

        assert {name: status(change) for name, change in CHANGES.items()} == dict.fromkeys(CHANGES, 400)
        assert [status(signature=name) for name in ("strange", "secret", "none")] == [400, 400, 400]
        assert status({"groups": None}, user_info={"sub": "2", "groups": ["ml"]}) == 400
        assert status({"email_verified": None}, user_info={"sub": "1"}) == 403
        assert status({"email": "zoe@evil.example" * 9}) == 403
        for word, reason in zip(REASONS, reasons, strict=True):
            assert word in reason[1], reason[1]
        assert browser.open("/").status_code == 303
        assert status() == 303
        assert status({"groups": None}, user_info={"sub": "1"}) == 303
