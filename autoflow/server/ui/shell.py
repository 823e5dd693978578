"""The HTML shell of every page: the header, an empty main element, and links to the assets.

The page loads its content by the API. Facts are passed as escaped ``data-`` attributes; there is no inline script or
style, and the content security policy forbids both.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from autoflow.server.ui.assets import ICONS, Assets, assets

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

_HEADER = """\
<a class="skip" href="#main">Skip to content</a>
<header class="top">
<a class="brand" href="/"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 6h5v5H4zM15 3h5v5h-5zM15 14h5v5h-5z\
M9 8.5h3M12 5.5v11M12 5.5h3M12 16.5h3"/></svg><span>autoflow</span></a>
<nav id="crumbs" aria-label="Breadcrumbs"></nav>
<form class="find" action="/search" role="search"><input id="find" type="search" name="q" autocomplete="off" \
placeholder="Search everything" aria-label="Search everything"></form>
<button id="theme" type="button" class="plain" aria-label="Colours: as the system" title="Colours"></button>
{account}</header>
"""
_ACCOUNT = """\
<form action="/logout" method="post"><button type="submit" title="Signed in as {login}">Sign out</button></form>
"""
_NOSCRIPT = """\
<noscript><p class="notice">This page needs JavaScript. Without it, <code>autoflow graph</code> prints the workflow as \
text, SVG or HTML.</p></noscript>
"""


def shell(
    page: str, title: str, facts: Mapping[str, object], source: Assets | None = None, *, account: str | None = None
) -> str:
    """Return the HTML document of a page.

    Args:
        page: its name; its module is ``pages/<page>.js``, and its style sheet ``pages/<page>.css`` if there is one.
        title: of the window until the page is loaded.
        facts: become ``data-`` attributes of the root element.
        source: the assets; by default those of this package.
        account: login of a session that can be ended here, None for none.

    Raises:
        KeyError: there is no such page.
    """
    files = source or assets()
    module = f"pages/{page}.js"
    styles = ["base.css", *(path for path in (f"pages/{page}.css", ICONS) if path in files)]
    imported_styles = [path for style in styles for path in files.with_imports(style)[1:]]
    data = {"page": page, **({"icons": "zmdi"} if ICONS in files else {}), **facts}
    attributes = "".join(f' data-{name}="{escape(str(value))}"' for name, value in data.items())
    return "".join(
        (
            f'<!doctype html>\n<html lang="en"{attributes}><head><meta charset="utf-8">\n',
            f"<title>{escape(title)}</title>\n",
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="color-scheme" content="light dark">\n',
            f'<script src="{files.url("initial-theme.js")}"></script>\n',
            *(f'<link rel="preload" as="style" href="{files.url(path)}">\n' for path in imported_styles),
            *(f'<link rel="stylesheet" href="{files.url(path)}">\n' for path in styles),
            *(f'<link rel="modulepreload" href="{files.url(path)}">\n' for path in files.with_imports(module)),
            f'<link rel="icon" type="image/svg+xml" href="{files.url("icon.svg")}">\n',
            f'<script type="module" src="{files.url(module)}"></script></head>\n<body>\n',
            _HEADER.format(account=_ACCOUNT.format(login=escape(account)) if account is not None else ""),
            f'<main id="main" tabindex="-1" aria-busy="true"></main>\n{_NOSCRIPT}</body></html>\n',
        )
    )
