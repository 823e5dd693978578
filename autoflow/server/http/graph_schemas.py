"""The methods of the page's graph, described."""

from __future__ import annotations

from autoflow.server.http.schemas import Described, fields, maybe, number, of
from autoflow.wire import methods

_SIDE = fields(
    "card side",
    card=of("string", "A card's key."),
    side=of("string", enum=["upstream", "downstream", "both"]),
)
_TEXTS = of("array", items=of("string"))
_SCENE = fields(
    says="At most one of project, task, file and workspace; without any, the first workspace.",
    project=number(),
    task=number(),
    file={"type": ["integer", "string"], "description": "A team file's number, or its path or a folder's."},
    workspace=number(),
    teamId=number("Whose path that is."),
    depth=maybe(of("integer", "Hops around the thing; two when not given.", minimum=0)),
    expand=of("array", "Cards whose neighbours on a side are shown too.", items=_SIDE),
    focus=maybe(_SIDE),
    kinds=_TEXTS,
    apps=_TEXTS,
    since=maybe(of("string", "Runs begun earlier are left out.")),
    until=maybe(of("string", "Runs begun later are left out.")),
    clusters=of("boolean", "Whether five or more alike are taken together."),
    opened=_TEXTS,
    keep=_TEXTS,
    have=of("string", "The digest of what the caller shows: the answer is short when it is the same."),
)

SCENES: dict[str, Described] = {
    methods.SCENE: Described(
        "A part of the lineage as the page shows it, laid out.",
        _SCENE,
        fields("changes digest", changes=of("integer", minimum=0), digest=of("string", "Of what is shown.")),
        (404,),
    ),
    methods.SCENE_CARDS: Described(
        "The words of cards: title, link, state and what else is known.",
        fields("keys", keys=of("array", items=of("string"), maxItems=2000)),
        fields("cards", cards=of("array", items=of("object"))),
    ),
    methods.SCENE_EXPORT: Described(
        "A scene as text, JSON, Mermaid, DOT, SVG or a page that stands alone.",
        {
            **_SCENE,
            "required": ["form"],
            "properties": {
                **_SCENE["properties"],
                "form": of("string", enum=["text", "json", "mermaid", "dot", "svg", "html"]),
            },
        },
        fields("text media", text=of("string"), media=of("string")),
        (404,),
    ),
}
