"""Write the types of our own methods for the page: run ``python .ci/page_types.py`` after a change of `wire.contract`.

A test compares the file with what this script would write.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autoflow.server.http import openapi
from autoflow.wire.contract.catalog import METHODS

PATH = Path(__file__).parents[1] / "autoflow/server/ui/assets/contract.d.ts"
WIDTH = 120
HEAD = "// Generated from autoflow/wire/contract by .ci/page_types.py: do not edit."
PRIMITIVES = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}


def typescript(schema: dict[str, Any]) -> str:
    """Return a JSON schema as a TypeScript type."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(map(typescript, schema["anyOf"])))
    if "prefixItems" in schema:
        return f"[{', '.join(map(typescript, schema['prefixItems']))}]"
    if schema.get("type") == "array":
        return f"Array<{typescript(schema.get('items', {}))}>"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties", {})
        return f"Record<string, {typescript(values if isinstance(values, dict) else {})}>"
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return " | ".join(PRIMITIVES.get(name, "unknown") for name in kinds)


def interface(name: str, schema: dict[str, Any]) -> str:
    """Return an object's schema as an exported interface."""
    if not schema["properties"]:
        return f"/** {schema.get('description', name)} */\nexport type {name} = Record<string, never>;"
    required = schema.get("required", [])
    lines = [f"/** {schema.get('description', name)} */", f"export interface {name} {{"]
    for member, of in schema["properties"].items():
        if "description" in of:
            lines.append(f"  /** {of['description']} */")
        line = f"  {member}{'' if member in required else '?'}: {typescript(of)};"
        if len(line) > WIDTH:  # a union that biome writes with an alternative a line
            head, union = line.split(": ", 1)
            line = "\n    | ".join([f"{head}:", *union.split(" | ")])
        lines.append(line)
    return "\n".join([*lines, "}"])


def declarations() -> str:
    """Return the whole file."""
    document = openapi.document()
    interfaces = [interface(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    entries = []
    for path, operation in document["paths"].items():
        post = operation["post"]
        sent = next(iter(post["requestBody"]["content"].values()))["schema"]
        returned = next(iter(post["responses"]["200"]["content"].values()))["schema"]
        name = path.rpartition("/")[2]
        assert name in METHODS
        entries.append(f"  {json.dumps(name)}: {{ request: {typescript(sent)}; response: {typescript(returned)} }};")
    methods = "\n".join(["/** Request and response of each method. */", "export interface Methods {", *entries, "}"])
    return "\n\n".join([HEAD, *interfaces, methods]) + "\n"


if __name__ == "__main__":
    PATH.write_text(declarations(), encoding="utf-8")
