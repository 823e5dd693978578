"""The OpenID provider: authorization code flow with PKCE, state and nonce, by Authlib.

What Authlib leaves to its callers is checked here: that the metadata is of the configured issuer, that the response
came from it (RFC 9207), that the ID token is for this client and signed with an asymmetric key.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from autoflow.errors import ServerBusy
from autoflow.server.errors import Invalid, shortened
from autoflow.server.sign_in.options import OidcOptions

TIMEOUT = 10.0  # seconds for a response of the provider
LEEWAY = 60  # seconds that the provider's clock may differ
_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
_FAILURES = (AuthlibBaseError, JoseError, ValueError, KeyError, RuntimeError)


class Provider:
    """The provider of one server's users.

    Args:
        options: of the sign-in.
    """

    def __init__(self, options: OidcOptions) -> None:
        self._options = options
        self._client: Any = None
        self._tls = httpx2.create_ssl_context()  # Authlib makes a client a request, and this takes most of its time
        # the same for all servers that share the secret, so that a browser may return to another one
        self.cookie_key = hmac.new(options.client_secret.encode(), b"autoflow sign-in", hashlib.sha256).hexdigest()

    async def redirect(self, request: Request) -> Response:
        """Return the redirection to the provider; state, nonce and code verifier go into the request's session.

        Raises:
            ServerBusy: the provider cannot be reached, or is another one.
        """
        client = await self._connected()
        response: Response = await client.authorize_redirect(request, self._options.redirect_uri)
        return response

    async def claims(self, request: Request) -> Mapping[str, Any]:
        """Return the claims of the user whom the provider has sent back.

        Raises:
            Invalid: the request does not belong to the browser's sign-in, or the provider's answer is not valid.
            ServerBusy: the provider cannot be reached, or is another one.
        """
        client = await self._connected()
        self._check_issuer(request, client.server_metadata)
        options = {
            "iss": {"essential": True, "value": self._options.issuer},
            "aud": {"essential": True, "value": self._options.client_id},
        }
        try:
            token = await client.authorize_access_token(request, claims_options=options, leeway=LEEWAY)
            return await self._with_user_info(client, token)
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from error
        except _FAILURES as error:
            raise Invalid(f"the sign-in is not valid, begin it again ({shortened(str(error))})") from error

    def _check_issuer(self, request: Request, metadata: Mapping[str, Any]) -> None:
        issuer = request.query_params.get("iss")
        required = metadata.get("authorization_response_iss_parameter_supported") is True
        if (issuer is not None or required) and issuer != self._options.issuer:
            raise Invalid("the response is not of this server's provider")

    async def _with_user_info(self, client: Any, token: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the claims of the ID token, and those that the provider tells by its user info alone."""
        claims = dict(token["userinfo"])  # Authlib's name for the claims of the ID token that it verified
        needed = {self._options.login_claim, self._options.groups_claim, "email", "email_verified"}
        if needed <= claims.keys() or "userinfo_endpoint" not in client.server_metadata:
            return claims
        user_info = dict(await client.userinfo(token=token))
        if user_info.get("sub") != claims["sub"]:
            raise Invalid("the provider's user info is of another user")
        return {**user_info, **claims}

    async def _connected(self) -> Any:
        """Return a client that knows the provider's metadata; they are read once."""
        if self._client is not None:
            return self._client
        client = OAuth().register(
            "provider",
            client_id=self._options.client_id,
            client_secret=self._options.client_secret,
            server_metadata_url=self._options.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": self._options.scopes,
                "code_challenge_method": "S256",
                "timeout": TIMEOUT,
                "verify": self._tls,
            },
        )
        try:
            metadata = await client.load_server_metadata()
        except (httpx2.HTTPError, ValueError) as error:
            raise self._unreachable(error) from error
        if metadata.get("issuer") != self._options.issuer:
            raise self._unreachable(f"it names itself {shortened(metadata.get('issuer'))}")
        algorithms = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [name for name in algorithms if name in _ALGORITHMS]
        self._client = client
        return client

    def _unreachable(self, reason: object) -> ServerBusy:
        return ServerBusy(f"the provider {self._options.issuer} cannot be used: {reason}", status=503, retry_after=5.0)
