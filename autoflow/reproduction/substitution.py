"""Replacement of the ids, names and paths in a recorded command by those of the restored data.

Only unambiguous occurrences are replaced. An option or parameter refers to a project if its name contains that word
(``--project-id``, ``slyProjectId``), likewise to a dataset; a path in Team Files is recognized by its value. Replaced
are the values of options (``--project-id 7``, ``--project-id=7``), of arguments ``project_id=7``, of the parameters of
``workflow`` and of the few recorded environment variables. A positional number is replaced if exactly one parameter
has it as its value, that parameter's name contains the word, and the number occurs once among the positional arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

# Number of words that an option of the interpreter takes; after -m and -c the program's arguments begin.
_INTERPRETER_OPTIONS = {"-m": 2, "-c": 2, "-W": 2, "-X": 2}
_PROGRAM_OPTIONS = ("-m", "-c")


class Replacement(NamedTuple):
    """A value and the value that replaces it.

    Args:
        kind: ``project``, ``dataset`` or ``file``; the name of an option must contain this word, except for files.
        old: the recorded value, as text.
        new: the value that replaces it.
    """

    kind: str
    old: str
    new: str

    def applies_to(self, name: str, value: str) -> bool:
        """Return whether a named value is the one to replace."""
        return value == self.old and (self.kind == "file" or self.kind in re.sub(r"[^a-z]", "", name.lower()))


class Command(NamedTuple):
    """A command to run.

    Args:
        words: the command line.
        parameters: the recorded parameters of ``workflow``.
        environment: the recorded environment variables.
        applied: the replacements that were made on the command line or in the environment.
    """

    words: list[str]
    parameters: dict[str, Any]
    environment: dict[str, str]
    applied: frozenset[Replacement] = frozenset()


def substitute(command: Command, replacements: Sequence[Replacement]) -> Command:
    """Apply all replacements at once, so that none is applied to the result of another."""
    words, applied = list(command.words), set[Replacement]()
    option, takes_many = "", False
    positional: list[int] = []
    list_names = {_normalized(path) for path, value in _leaves(command.parameters) if isinstance(value, list)}
    for index in range(_arguments_start(command.words), len(words)):
        word = command.words[index]
        name, equals, value = word.partition("=")
        if equals and (replacement := _matching(replacements, name, value)) is not None:
            words[index] = f"{name}={replacement.new}"
            applied.add(replacement)
        elif word.startswith("-") and not _is_number(word):
            option, takes_many = ("", False) if equals else (word, _normalized(word) in list_names)
            continue
        elif option and (replacement := _matching(replacements, option, word)) is not None:
            words[index] = replacement.new
            applied.add(replacement)
        elif not option:
            positional.append(index)
        option = option if takes_many else ""
    for replacement in replacements:
        matches = [index for index in positional if command.words[index] == replacement.old]
        if replacement not in applied and len(matches) == 1 and _is_named_by_parameter(replacement, command.parameters):
            words[matches[0]] = replacement.new
            applied.add(replacement)
    environment = dict(command.environment)
    for variable, value in command.environment.items():
        if (replacement := _matching(replacements, variable, value)) is not None:
            environment[variable] = replacement.new
            applied.add(replacement)
    return Command(words, _replace_in(command.parameters, replacements), environment, frozenset(applied))


def mentions(command: Command, value: str) -> bool:
    """Return whether a value occurs anywhere in a command, its parameters or its environment."""
    parameters = [str(leaf) for _, values in _leaves(command.parameters) for leaf in _as_list(values)]
    option_values = [word.rpartition("=")[2] for word in command.words]
    return value in {*option_values, *command.words, *parameters, *command.environment.values()}


def _arguments_start(words: Sequence[str]) -> int:
    """Return the index of the program's first argument, after the interpreter, its options and the script."""
    index = 1
    while index < len(words) and words[index].startswith("-") and words[index] != "-":
        word = words[index]
        index += _INTERPRETER_OPTIONS.get(word, 1)
        if word in _PROGRAM_OPTIONS:
            return index
    return index + 1


def _is_number(word: str) -> bool:
    return re.fullmatch(r"-\d+(\.\d*)?", word) is not None


def _matching(replacements: Sequence[Replacement], name: str, value: str) -> Replacement | None:
    return next((replacement for replacement in replacements if replacement.applies_to(name, value)), None)


def _normalized(name: str) -> str:
    """Return a name as options and parameters share it: ``--project-ids`` becomes ``project_ids``."""
    return name.lstrip("-+").rpartition(".")[2].replace("-", "_").lower()


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Return all values in nested mappings with their dotted paths."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, value


def _is_named_by_parameter(replacement: Replacement, parameters: Mapping[str, Any]) -> bool:
    """Return whether exactly one parameter has the value, and its name identifies the kind."""
    paths = [
        path for path, values in _leaves(parameters) for leaf in _as_list(values) if _as_text(leaf) == replacement.old
    ]
    return len(paths) == 1 and replacement.applies_to(paths[0], replacement.old)


def _as_text(value: Any) -> str | None:
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None


def _replace_in(value: Any, replacements: Sequence[Replacement], path: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _replace_in(inner, replacements, f"{path}.{name}") for name, inner in value.items()}
    if isinstance(value, list):
        return [_replace_in(inner, replacements, path) for inner in value]
    text = _as_text(value)
    replacement = _matching(replacements, path, text) if text is not None else None
    if replacement is None:
        return value
    return int(replacement.new) if isinstance(value, int) else replacement.new
