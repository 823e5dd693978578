"""Colors and fonts of pictures, light and dark; every text has a contrast of at least 4.5 to 1."""

from __future__ import annotations

STATES = ("finished", "failed", "running", "ended", "lost")
LIGHT = {
    "canvas": "#eef2fa",
    "card": "#ffffff",
    "border": "#d5deec",
    "title": "#1c2738",
    "muted": "#55627a",
    "link": "#2360c4",
    "arrow": "#38465c",
    "accent": "#2f6fd6",
    "badge": "#2360c4",
    "on-badge": "#ffffff",
    "shade": "#dfe7f3",
    "finished": "#1a7745",
    "ended": "#1a7745",
    "failed": "#c02626",
    "running": "#2360c4",
    "lost": "#8a5800",
}
DARK = {
    "canvas": "#10161f",
    "card": "#1b2432",
    "border": "#313e52",
    "title": "#eaf0f9",
    "muted": "#a8b5c8",
    "link": "#8db6ff",
    "arrow": "#93a3ba",
    "accent": "#6ea2ff",
    "badge": "#8db6ff",
    "on-badge": "#10161f",
    "shade": "#263244",
    "finished": "#5fd195",
    "ended": "#5fd195",
    "failed": "#ff9086",
    "running": "#8db6ff",
    "lost": "#f0b95a",
}
FONT = '"Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif'

# All rules are below one class: a picture inside a notebook or a page must not restyle its surroundings.
ROOT = ".autoflow-graph"
RULES = {
    "": f"font-family:{FONT};font-size:13px;background:var(--canvas)",
    "text": "fill:var(--muted)",
    ".ground": "fill:var(--canvas)",
    ".box": "fill:var(--card);stroke:var(--border);stroke-width:1",
    ".entered .box": "stroke:var(--accent);stroke-width:2",
    ".shade": "fill:var(--shade)",
    ".sketch": "fill:none;stroke:var(--muted);stroke-width:1.2;stroke-linejoin:round;opacity:.55",
    ".name": "fill:var(--title);font-size:15px;font-weight:600",
    ".link": "fill:var(--link)",
    "a:hover .link, a:focus-visible .link": "text-decoration:underline",
    ".date, .state": "font-size:12px",
    ".glyph": "fill:none;stroke:var(--muted);stroke-width:1.2",
    ".icon": "fill:none;stroke-width:2;stroke-linecap:round;stroke-linejoin:round",
    ".badge": "fill:var(--badge)",
    ".on-badge": "fill:var(--on-badge);font-size:12px;font-weight:700;text-anchor:middle",
    ".state": "text-anchor:end",
    ".more": "fill:var(--shade);stroke:var(--border)",
    ".on-more": "fill:var(--title);font-size:11px;font-weight:600;text-anchor:middle",
    ".way": "fill:none;stroke:var(--arrow);stroke-width:1.5",
    ".way.back": "stroke-dasharray:6 4",
    ".way.version": "stroke-dasharray:2 3",
    ".way.indirect": "stroke-dasharray:8 4 1 4",
    ".head": "fill:var(--arrow)",
    **{f".state.{state}, .edge.{state}": f"fill:var(--{state})" for state in STATES},
}


def variables(root: str) -> str:
    """Return the rules that set the colors on `root`, a selector, for light and for dark screens."""
    light, dark = (";".join(f"--{name}:{color}" for name, color in theme.items()) for theme in (LIGHT, DARK))
    return f"{root}{{{light}}}@media (prefers-color-scheme:dark){{{root}{{{dark}}}}}"


def stylesheet() -> str:
    """Return the style sheet of a picture."""
    rules = "".join(
        f"{','.join(f'{ROOT} {part.strip()}'.strip() for part in selector.split(','))}{{{rule}}}"
        for selector, rule in RULES.items()
    )
    return variables(ROOT) + rules
