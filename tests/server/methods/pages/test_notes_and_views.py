"""Notes on cards and saved views: whose they are, who sees them, and how they are searched."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused


def caller(filled, login, *teams):
    return filled.server.tokens.caller(filled.server.tokens.create(login, list(teams)))


def test_notes_are_appended_to_a_card_and_searched(filled):
    """A file has one card by any reference; the latest note is first; words are searched, also in hostile texts."""
    call = filled.call
    file = filled.file("/models/best.pt")["id"]
    filled.edge("output", "model_weight", file, run="train")
    filled.edge("output", "folder", "/models", run="train")
    first = call("autoflow.notes.add", ref="/models/best.pt", text=" Overfits on Kraków \n")
    assert (first["card"], first["text"], first["createdBy"]) == (f"file:{file}", "Overfits on Kraków", "admin")
    call("autoflow.notes.add", card=f"model_weight:{file}", text="Fixed")
    page = call("autoflow.notes.list", ref=f"file:{file}", limit=1)
    assert [note["text"] for note in page["notes"]] == ["Fixed"]
    assert call("autoflow.notes.list", ref=f"file:{file}", before=page["next"]) == {"notes": [first], "next": None}
    assert call("autoflow.notes.add", card="folder:/models", text="old")["card"] == "folder:/models"
    (result,) = call("autoflow.search", q="krakow over", kinds=["note"])["results"]
    assert (result["title"], result["link"]) == ("Overfits on Kraków", f"/file/{file}?card=file%3A{file}")
    for text in ("<img src=x onerror=alert(1)>", "\u202eabc", "'; DROP TABLE notes; --", "🍋" * 2000, '" OR *'):
        assert call("autoflow.notes.add", card="folder:/models", text=text)["text"] == text
        call("autoflow.search", q=text[:100], kinds=["note"])
    for wrong in ({"text": " "}, {"text": "x" * 4001}, {"text": "x", "card": "folder:/models"}):
        with pytest.raises(ServerRefused):
            call("autoflow.notes.add", **{"ref": f"file:{file}", **wrong})


def test_views_are_ones_own_or_shared(filled):
    """The same name replaces one's own; other teams see none; an address leads nowhere else."""
    server = filled.server
    ann, bob, eve = (caller(filled, "ann", "Team"), caller(filled, "bob", "Team"), caller(filled, "eve", "Others"))

    def names(user):
        return [view["name"] for view in server.call("autoflow.views.list", {}, user)["views"]]

    own = {"name": "mine", "address": "/workspace/1?kind=task&at=1,2,0.5"}
    server.call("autoflow.views.add", own, ann)
    saved = server.call("autoflow.views.add", {**own, "address": "/project/7"}, ann)
    shared = server.call("autoflow.views.add", {"name": "All runs", "address": "/", "shared": True}, ann)
    assert (saved["address"], saved["createdBy"]) == ("/project/7", "ann")
    assert (names(ann), names(bob), names(eve)) == (["All runs", "mine"], ["All runs"], [])
    for number in (saved["id"], shared["id"]):
        with pytest.raises(ServerRefused, match="view"):
            server.call("autoflow.views.remove", {"id": number}, eve)
    with pytest.raises(ServerRefused, match="view"):
        server.call("autoflow.views.remove", {"id": saved["id"]}, bob)
    server.call("autoflow.views.remove", {"id": shared["id"]}, bob)
    assert names(ann) == ["mine"]
    for address in ("//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a b", ""):
        with pytest.raises(ServerRefused, match="address"):
            server.call("autoflow.views.add", {"name": "x", "address": address}, ann)
