"""Views of the page that people saved under a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from autoflow.wire import methods
from autoflow.wire.contract.method import Constraint, Id, Method, Name, Success

MAX_ADDRESS = 8000  # characters


@dataclass(frozen=True, kw_only=True)
class SaveViewRequest:
    """Save a view: the address of a page, with its filters, selection and camera.

    Args:
        name: its name; a view of the same author, team and name is replaced.
        address: path and query of a page of this server.
        shared: whether all of the team see it; the author alone without it.
        team_id: the team; the caller's first without it.
    """

    name: Name
    address: Annotated[str, Constraint(max_length=MAX_ADDRESS)]
    shared: bool = False
    team_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class ListViewsRequest:
    """Return the saved views that the caller sees, by name.

    Args:
        team_id: only those of this team.
    """

    team_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class RemoveViewRequest:
    """Remove a saved view: the caller's own, or a shared one.

    Args:
        id: number of the view.
    """

    id: Id


class SavedView(TypedDict):
    """A saved view.

    Args:
        address: path and query of the page.
        shared: whether all of the team see it.
        createdBy: login of the author.
    """

    id: Id
    teamId: Id
    name: str
    address: str
    shared: bool
    createdBy: str | None
    createdAt: str


class ListViewsResponse(TypedDict):
    """Saved views, at most 1000."""

    views: list[SavedView]


VIEWS_ADD = Method(methods.VIEWS_ADD, SaveViewRequest, SavedView, (404, 409))
VIEWS_LIST = Method(methods.VIEWS_LIST, ListViewsRequest, ListViewsResponse, (404,))
VIEWS_REMOVE = Method(methods.VIEWS_REMOVE, RemoveViewRequest, Success, (404,))
