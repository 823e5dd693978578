"""The cookie that holds the token of a browser."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response


class SessionCookie:
    """Sets and reads the cookie; scripts cannot read it, and pages of other sites cannot have it sent with a POST.

    Args:
        secure: whether it is sent over TLS alone. Its name then keeps other hosts of the same domain from setting it.
        seconds: after which the browser forgets it.
    """

    def __init__(self, *, secure: bool, seconds: float) -> None:
        self._secure = secure
        self._seconds = int(seconds)
        self._name = self.name("autoflow-session")

    def name(self, text: str) -> str:
        """Return the name of a cookie of this server."""
        return f"__Host-{text}" if self._secure else text

    def token(self, request: Request) -> str | None:
        """Return the token of a request, None if it has no cookie."""
        return request.cookies.get(self._name) or None

    def set(self, response: Response, token: str) -> None:
        """Have the browser send a token from now on."""
        response.set_cookie(
            self._name, token, max_age=self._seconds, secure=self._secure, httponly=True, samesite="lax"
        )

    def remove(self, response: Response) -> None:
        """Have the browser forget the token."""
        response.delete_cookie(self._name, secure=self._secure, httponly=True, samesite="lax")
