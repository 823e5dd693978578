"""The type of JSON objects whose members this package does not declare."""

from __future__ import annotations

from typing import Any

# Its members are known to their authors alone: facts and parameters of a run, custom data, the metadata of an image,
# an annotation, a class or a tag, settings of a card; and the objects of Supervisely's own methods, which its SDK
# declares. The objects of our own methods are TypedDicts: `wire.contract`, `model.graph_json`.
JsonObject = dict[str, Any]
