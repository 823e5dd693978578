"""The documents of the sign-in: they need no script."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from autoflow.server.ui.assets import assets

_DOCUMENT = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<title>{title} · autoflow</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<script src="{script}"></script>
{styles}<link rel="icon" type="image/svg+xml" href="{icon}"></head>
<body><main id="main" class="message-page"><h1>{title}</h1>
{content}</main></body></html>
"""
_CHOICE = """\
<p><a class="button primary" href="/login/start?next={next}">Sign in with {provider}</a></p>
<form action="/login/token" method="post"><p class="row"><input type="hidden" name="next" value="{path}">
<input type="password" name="token" required autocomplete="off" placeholder="or a token" aria-label="Token">
<button type="submit">Use the token</button></p></form>
"""


def choice(provider: str, path: str) -> str:
    """Return the document that offers to sign in.

    Args:
        provider: name of the provider's host.
        path: of this server, where the browser goes next.
    """
    content = _CHOICE.format(provider=escape(provider), next=escape(quote(path, safe="/")), path=escape(path))
    return _document("Sign in", content)


def message(title: str, text: str) -> str:
    """Return a document with a message, and a link to the sign-in."""
    return _document(title, f'<p role="alert">{escape(text)}</p>\n<p><a class="button" href="/login">Sign in</a></p>\n')


def _document(title: str, content: str) -> str:
    files = assets()
    styles = f'<link rel="stylesheet" href="{files.url("base.css")}">\n'
    return _DOCUMENT.format(
        title=escape(title),
        script=files.url("initial-theme.js"),
        styles=styles,
        icon=files.url("icon.svg"),
        content=content,
    )
