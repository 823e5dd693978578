"""The options of ``autoflow serve``: from the command line, else the environment, else a file, else the defaults.

Other commands that work on a server's store (`autoflow token`, `autoflow server recover`) take its location from the
same sources, so that they use the store that a service's environment names.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from autoflow import settings
from autoflow.cli import oidc_options
from autoflow.server.sign_in.options import OidcOptions

DEFAULT = "default"
CONFIG = "config"
_BOOLEANS = {**dict.fromkeys(("1", "true", "yes", "on"), True), **dict.fromkeys(("0", "false", "no", "off"), False)}
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*(?=@)|([?&]password=)[^&]*")


@dataclass(frozen=True)
class ServeOptions:
    """The options of a server; `autoflow serve --help` describes them."""

    host: str = "127.0.0.1"
    port: int = 8765
    data: str | None = None
    database: str | None = None
    blobs: str | None = None
    migrate: bool = False
    auth: bool = False
    access_log: str | None = None
    private_webhooks: bool = False
    oidc: OidcOptions | None = None


_TYPES: Mapping[str, type] = {
    "port": int,
    "migrate": bool,
    "auth": bool,
    "private_webhooks": bool,
}  # all others are texts
_NAMES = tuple(field.name for field in fields(ServeOptions) if field.name != oidc_options.TABLE)


def load(args: argparse.Namespace) -> tuple[ServeOptions, dict[str, str]]:
    """Return the options, and the source of each.

    Args:
        args: the command line; an option that it does not have, or that is None, is taken from the other sources.

    Raises:
        ValueError: a key or a value is invalid; the message names its source.
        OSError: the file cannot be read.
    """
    environment = settings.serve_options()
    named = environment.pop(CONFIG, None)
    path: str | None = getattr(args, CONFIG, None) or named
    values: dict[str, Any] = {}
    sources = dict.fromkeys(_NAMES, DEFAULT)
    table = _read(path) if path is not None else {}
    prefix = oidc_options.PREFIX
    oidc_names = [name for name in environment if name.startswith(prefix)]
    oidc_texts = {name.removeprefix(prefix): environment.pop(name) for name in oidc_names}
    oidc = oidc_options.load(table.pop(oidc_options.TABLE, None), path, oidc_texts, settings.serve_variable(prefix))
    if path is not None:
        for name, value in table.items():
            values[name], sources[name] = _checked(name, value, path), path
    for name, text in environment.items():
        variable = settings.serve_variable(name)
        values[name], sources[name] = _checked(name, _parsed(name, text), variable), variable
    for name in _NAMES:
        if (value := getattr(args, name, None)) is not None:
            values[name], sources[name] = value, f"--{name.replace('_', '-')}"
    return ServeOptions(**values, oidc=oidc), sources


def _read(path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib

        with open(path, "rb") as file:
            try:
                return tomllib.load(file)
            except tomllib.TOMLDecodeError as error:
                raise ValueError(f"{path} is not TOML: {error}") from error
    raise ValueError(
        f"{path} cannot be read: --config needs Python 3.11; set variables AUTOFLOW_SERVE_<OPTION> instead"
    )


def _parsed(name: str, text: str) -> Any:
    """Return the value that the text of a variable means, the text itself if it has none."""
    option_type = _TYPES.get(name, str)
    if option_type is int and text.isdecimal():
        return int(text)
    return _BOOLEANS.get(text.lower(), text) if option_type is bool else text


def _checked(name: str, value: Any, source: str) -> Any:
    if name not in _NAMES:
        raise ValueError(f"{source} sets {name!r}, which is no option of `autoflow serve`: it has {', '.join(_NAMES)}")
    option_type = _TYPES.get(name, str)
    if type(value) is not option_type:
        wanted = {int: "a number", bool: "true or false", str: "a text"}[option_type]
        raise ValueError(f"{source} sets {name} to {value!r}: it must be {wanted}")
    return value


def describe(options: ServeOptions, sources: Mapping[str, str]) -> Iterator[str]:
    """Return the lines of a ``server.toml`` with these options, each with its source; passwords are hidden."""
    for name in _NAMES:
        value = getattr(options, name)
        if value is None:
            yield f"# {name} is not set"
        else:
            text = _PASSWORD.sub(lambda match: f"{match[1] or match[2]}***", value) if isinstance(value, str) else value
            yield f"{name} = {json.dumps(text, ensure_ascii=False)}  # {sources[name]}"
    if options.oidc is not None:
        yield from oidc_options.describe(options.oidc)
