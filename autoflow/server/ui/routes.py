"""The routes of the page: the HTML documents, and the assets below ``/assets/``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from autoflow.errors import NotAllowed
from autoflow.server.ui.assets import ROOT, assets
from autoflow.server.ui.shell import POLICY, shell

IMMUTABLE = "public, max-age=31536000, immutable"


class Page(NamedTuple):
    """A page of the site.

    Args:
        name: of its module and style sheet.
        title: of the window until the page is loaded.
        facts: passed to the page beside the numbers in its address.
    """

    name: str
    title: str
    facts: Mapping[str, str] = {}


def _workflow(entry: str) -> Page:
    return Page("graph", f"Workflow of the {entry}", {"entry": entry})


PAGES: Mapping[str, Page] = {
    "/": Page("start", "autoflow"),
    "/search": Page("search", "Search"),
    "/audit": Page("audit", "Audit log"),
    "/project/{project:int}": _workflow("project"),
    "/task/{task:int}": _workflow("task"),
    "/workspace": _workflow("workspace"),
    "/workspace/{workspace:int}": _workflow("workspace"),
    "/workspaces/{workspace:int}": _workflow("workspace"),
    "/file": _workflow("file"),
    "/file/{file:int}": _workflow("file"),
    "/projects/{project:int}": Page("project", "Project"),
    "/projects/{project:int}/versions": Page("versions", "Versions"),
    "/projects/{project:int}/versions/compare": Page("compare", "Versions compared"),
    "/projects/{project:int}/datasets/{dataset:int}": Page("dataset", "Dataset"),
    "/images/{image:int}": Page("image", "Image"),
    "/runs/compare": Page("run-comparison", "Runs compared"),
    "/files": Page("file", "Team files"),
    "/files/{file:int}": Page("file", "File"),
    "/files/{file:int}/{exact}": Page("file", "File"),
    "/apps/sessions/{task:int}": Page("run", "Run"),
    "/apps/{app:int}/sessions/{task:int}": Page("run", "Run"),
    "/labeling/jobs/{job:int}": Page("job", "Labeling job"),
}

Authorize = Callable[[Request], Awaitable[object]]


class Login(Protocol):
    """Sign-in of browsers in another way than by the token that they prompt for."""

    def unauthorized(self, request: Request, error: NotAllowed) -> Response:
        """Return the response to a request that may not see a page."""
        ...

    def account(self, request: Request) -> str | None:
        """Return the login of the browser's session, None if it has none."""


def asset(request: Request) -> Response:
    """Serve ``GET /assets/<path>``."""
    match = assets().find(request.path_params["path"])
    if match is None:
        raise HTTPException(404, "there is no such asset")
    file, immutable = match
    headers = {
        "ETag": f'"{file.etag}"',
        "Cache-Control": IMMUTABLE if immutable else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if file.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.media_type)
    return Response(file.content, headers=headers, media_type=file.media_type)


def _document(page: Page, authorize: Authorize, login: Login | None) -> Callable[[Request], Awaitable[Response]]:
    async def document(request: Request) -> Response:
        try:
            await authorize(request)
        except NotAllowed as error:
            if login is not None:
                return login.unauthorized(request, error)
            challenge = {"WWW-Authenticate": 'Basic realm="autoflow: any name, the token as password"'}
            raise HTTPException(error.status or 401, str(error), headers=challenge) from error
        numbers = {name: value for name, value in request.path_params.items() if isinstance(value, int)}
        text = shell(
            page.name, page.title, {**page.facts, **numbers}, account=login.account(request) if login else None
        )
        headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
        return HTMLResponse(text, headers=headers)

    return document


def routes(authorize: Authorize, login: Login | None = None) -> list[Route]:
    """Return the routes of the page.

    Args:
        authorize: raises `NotAllowed` for a request that needs a token and has none that is valid.
        login: how browsers sign in; None for the prompt of Basic authentication.
    """
    return [
        *(Route(path, _document(page, authorize, login), methods=["GET"]) for path, page in PAGES.items()),
        Route(f"{ROOT}/{{path:path}}", asset, methods=["GET"]),
    ]
