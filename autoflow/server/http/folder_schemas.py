"""The methods by which folders become projects and versions folders, described for the OpenAPI document."""

from __future__ import annotations

from autoflow.server.http.schemas import Described, fields, maybe, number, of
from autoflow.wire import methods

_HASH = of("string", "base64(sha256) of the bytes.")
_HASHES = of("array", items=_HASH, maxItems=10_000)
_LIST = of("array")
_NUMBERS = of("array", items=number())
_DIGEST = of("string", "The project's state, by which a later change is seen.")
_IMAGE = fields(
    "name hash",
    name=of("string", "In its dataset.", minLength=1),
    hash=_HASH,
    link=maybe(of("string", "file:///path, when by reference; on the server's own machine only.")),
    annotation=maybe(of("object", "In Supervisely's format; without it the image keeps what it has.")),
    meta=maybe(of("object", "Likewise.")),
)
_OF_VERSION = fields("id hashes", id=number("The version's."), hashes=_HASHES)

FOLDERS: dict[str, Described] = {
    methods.FOLDER_STATE: Described(
        "The state of a project, as one text.",
        fields("projectId", projectId=number()),
        fields("digest", digest=_DIGEST),
        (404,),
    ),
    methods.FOLDER_ITEMS: Described(
        "The images of a project, each with the mark of its state, a page at a time.",
        fields("projectId", projectId=number(), after=maybe(of("integer", minimum=0))),
        fields(
            "items after",
            items=of("array", "[id, dataset, name, mark] each.", items=_LIST),
            after=maybe(of("integer", "What to ask for next; null at the end.")),
        ),
        (404,),
    ),
    methods.FOLDER_SHAPE: Described(
        "Add classes and tags to a project, and make the datasets it has not.",
        fields(
            "projectId datasets",
            projectId=number(),
            meta=maybe(of("object", "Classes and tags, in Supervisely's format.")),
            datasets=of("array", "The names that lead to each.", items=of("array", items=of("string"), minItems=1)),
        ),
        fields("before after datasets", before=_DIGEST, after=_DIGEST, datasets=_NUMBERS),
        (404,),
    ),
    methods.FOLDER_LOOK: Described(
        "The sizes of images in pixels, by their hashes or, on the server's own machine, by their links.",
        fields(hashes=_HASHES, links=of("array", items=of("string"))),
        fields("sizes", sizes=of("object", additionalProperties=_LIST)),
    ),
    methods.FOLDER_PUT: Described(
        "Make images of a dataset, or bring those of their names to the state sent; all of them or none.",
        fields("datasetId images", datasetId=number(), images=of("array", items=_IMAGE)),
        fields(
            "before after images", before=_DIGEST, after=_DIGEST, images=of("array", "[id, mark] each.", items=_LIST)
        ),
        (404,),
    ),
    methods.FOLDER_REMOVE: Described(
        "Remove images and datasets of a project; what a version has stays in it.",
        fields("projectId images datasets", projectId=number(), images=_NUMBERS, datasets=_NUMBERS),
        fields("before after", before=_DIGEST, after=_DIGEST),
        (404,),
    ),
    methods.FOLDER_CONTENTS: Described(
        "Bytes of a version's images, each after a line with its hash and size.",
        _OF_VERSION,
        of("string", format="binary"),
        (404, 410),
    ),
    methods.FOLDER_PATHS: Described(
        "Where files of a version's images are, told on the server's own machine only.",
        _OF_VERSION,
        fields("paths", paths=of("object", additionalProperties=of("string"))),
        (404,),
    ),
}
