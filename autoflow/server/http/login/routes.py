"""The routes of the sign-in: ``/login``, its steps, and ``/logout``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from autoflow.errors import NotAllowed, ServerBusy, ServerRefused
from autoflow.server.db.engine import Store
from autoflow.server.errors import Invalid
from autoflow.server.http.admission import Pool
from autoflow.server.http.exchange import exchange_of
from autoflow.server.http.login.own_path import own_path
from autoflow.server.http.login.provider import Provider
from autoflow.server.http.login.session_cookie import SessionCookie
from autoflow.server.sign_in.identity import identify
from autoflow.server.sign_in.options import OidcOptions
from autoflow.server.sign_in.sessions import Sessions
from autoflow.server.ui import login_page
from autoflow.server.ui.shell import POLICY
from autoflow.wire.tokens import is_session_token

SIGN_IN_SECONDS = 600  # that a browser has between leaving for the provider and coming back
MAX_FORM = 8192  # bytes
THREADS = 4
_NEXT = "next"
_HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}


class Login:
    """The endpoints of the sign-in.

    Args:
        store: where users and tokens are.
        options: of the sign-in.
        cookie: holds the tokens of browsers.
        authenticate: raises `NotAllowed` for a token that is not valid.
    """

    def __init__(
        self,
        store: Store,
        options: OidcOptions,
        cookie: SessionCookie,
        authenticate: Callable[[Request, str], Awaitable[object]],
    ) -> None:
        self._cookie = cookie
        self._options = options
        self._sessions = Sessions(store, options)
        self._provider = Provider(options)
        self._authenticate = authenticate
        self._threads = Pool(THREADS)

    def unauthorized(self, request: Request, error: NotAllowed) -> Response:
        """Return what a browser gets for a page that it may not see."""
        if error.status == 401:
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            response: Response = RedirectResponse(f"/login?next={quote(target, safe='/')}", 303)
        else:
            response = _message("This page is not for you", str(error), error.status or 403)
        self._cookie.remove(response)
        return response

    def account(self, request: Request) -> str | None:
        """Return the login that the page shows at the button that signs out, None for a browser that sent no cookie."""
        caller = exchange_of(request).caller
        return caller.login if caller is not None and self._cookie.token(request) is not None else None

    async def get_page(self, request: Request) -> Response:
        """``GET /login``: the choice of how to sign in."""
        provider = urlsplit(self._options.issuer).hostname or self._options.issuer
        path = own_path(request.query_params.get(_NEXT))
        return HTMLResponse(login_page.choice(provider, path), headers=_HEADERS)

    async def start(self, request: Request) -> Response:
        """``GET /login/start``: to the provider."""
        request.session.clear()
        request.session[_NEXT] = own_path(request.query_params.get(_NEXT))
        try:
            return await self._provider.redirect(request)
        except ServerBusy as error:
            return _failure(request, error)

    async def callback(self, request: Request) -> Response:
        """``GET /login/callback``: from the provider; a session begins."""
        path = own_path(request.session.get(_NEXT))
        try:
            identity = identify(await self._provider.claims(request), self._options)
            token = await self._threads.run(identity.subject, self._sessions.begin, identity)
        except (ServerRefused, ServerBusy) as error:
            return _failure(request, error)
        finally:
            request.session.clear()
        return self._signed_in(token, path)

    async def use_token(self, request: Request) -> Response:
        """``POST /login/token``: a token, as apps use it, becomes that of the browser."""
        try:
            form = dict(parse_qsl((await _body(request)).decode("ascii", "replace")))
            token = form.get("token", "").strip()
            await self._authenticate(request, token)
        except (ServerRefused, ServerBusy) as error:
            return _failure(request, error)
        return self._signed_in(token, own_path(form.get(_NEXT)))

    async def logout(self, request: Request) -> Response:
        """``POST /logout``: the session ends here; that at the provider does not."""
        token = self._cookie.token(request)
        if token is not None and is_session_token(token):
            await self._threads.run("logout", self._sessions.end, token)
        response = RedirectResponse("/login", 303)
        self._cookie.remove(response)
        return response

    def _signed_in(self, token: str, path: str) -> Response:
        response = RedirectResponse(path, 303)
        self._cookie.set(response, token)
        return response

    def routes(self) -> list[Route]:
        """Return the routes; those of the provider have a signed cookie for state, nonce and code verifier."""
        state = Middleware(
            SessionMiddleware,
            secret_key=self._provider.cookie_key,
            session_cookie=self._cookie.name("autoflow-login"),
            max_age=SIGN_IN_SECONDS,
            same_site="lax",
            https_only=self._options.secure,
        )
        return [
            Route("/login", self.get_page, methods=["GET"]),
            Route("/login/start", self.start, methods=["GET"], middleware=[state]),
            Route("/login/callback", self.callback, methods=["GET"], middleware=[state]),
            Route("/login/token", self.use_token, methods=["POST"]),
            Route("/logout", self.logout, methods=["POST"]),
        ]


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise Invalid(f"the form has more than {MAX_FORM} bytes")
    return body


def _message(title: str, text: str, status: int) -> Response:
    return HTMLResponse(login_page.message(title, text), status, headers=_HEADERS)


def _failure(request: Request, error: ServerRefused | ServerBusy) -> Response:
    exchange_of(request).refused = str(error)
    return _message("Sign-in failed", str(error), error.status)
