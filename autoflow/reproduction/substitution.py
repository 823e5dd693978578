"""Where a command names the data it is for, and the same command for other data.

What is certain is replaced and nothing else. A name names a project when it has the word in it (``--project-id``,
``slyProjectId``), a dataset likewise; a path in Team Files names itself. Replaced are the values of options
(``--project-id 7``, ``--project-id=7``), of arguments ``project_id=7``, of parameters given to ``workflow`` and of
the few environment variables that are kept. A number that stands alone is replaced when a parameter of such a name
has it as its value and it stands alone there once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

# How many words an option of the interpreter's own takes; after -m and -c the program's arguments begin.
_INTERPRETERS = {"-m": 2, "-c": 2, "-W": 2, "-X": 2}
_PROGRAM = ("-m", "-c")


class Swap(NamedTuple):
    """One thing in place of another.

    Args:
        kind: ``project``, ``dataset`` or ``file``; a name has this word in it, but for a file's path.
        old: the value that is replaced, as text.
        new: what takes its place.
    """

    kind: str
    old: str
    new: str

    def fits(self, name: str, value: str) -> bool:
        """Whether a value under a name is the thing."""
        return value == self.old and (self.kind == "file" or self.kind in re.sub(r"[^a-z]", "", name.lower()))


class Command(NamedTuple):
    """What to run.

    Args:
        words: the command line.
        parameters: those that were given to ``workflow``.
        environment: variables that bear on it.
        placed: the swaps that found a place on the command line or in the environment.
    """

    words: list[str]
    parameters: dict[str, Any]
    environment: dict[str, str]
    placed: frozenset[Swap] = frozenset()


def substitute(command: Command, swaps: Sequence[Swap]) -> Command:
    """The command with all swaps made at once, so that none meets what another put in."""
    start = _program(command.words)
    words, placed = list(command.words), set[Swap]()
    name, many = "", False
    bare: list[int] = []
    listed = {_plain(path) for path, value in _leaves(command.parameters) if isinstance(value, list)}
    for place in range(start, len(words)):
        word = command.words[place]
        given, equals, value = word.partition("=")
        if equals and (swap := _fitting(swaps, given, value)) is not None:
            words[place] = f"{given}={swap.new}"
            placed.add(swap)
        elif word.startswith("-") and not _is_number(word):
            name, many = ("", False) if equals else (word, _plain(word) in listed)
            continue
        elif name and (swap := _fitting(swaps, name, word)) is not None:
            words[place] = swap.new
            placed.add(swap)
        elif not name:
            bare.append(place)
        name = name if many else ""
    for swap in swaps:
        alone = [place for place in bare if command.words[place] == swap.old]
        if swap not in placed and len(alone) == 1 and _is_told(swap, command.parameters):
            words[alone[0]] = swap.new
            placed.add(swap)
    environment = dict(command.environment)
    for variable, value in command.environment.items():
        if (swap := _fitting(swaps, variable, value)) is not None:
            environment[variable] = swap.new
            placed.add(swap)
    return Command(words, _replaced(command.parameters, swaps), environment, frozenset(placed))


def mentions(command: Command, value: str) -> bool:
    """Whether a value stands anywhere in a command, its parameters or its environment."""
    told = [str(leaf) for _, whole in _leaves(command.parameters) for leaf in _each(whole)]
    words = [word.rpartition("=")[2] for word in command.words]
    return value in {*words, *command.words, *told, *command.environment.values()}


def _program(words: Sequence[str]) -> int:
    """Where the arguments of the program begin, after the interpreter, its options and the script."""
    place = 1
    while place < len(words) and words[place].startswith("-") and words[place] != "-":
        word = words[place]
        place += _INTERPRETERS.get(word, 1)
        if word in _PROGRAM:
            return place
    return place + 1


def _is_number(word: str) -> bool:
    return re.fullmatch(r"-\d+(\.\d*)?", word) is not None


def _fitting(swaps: Sequence[Swap], name: str, value: str) -> Swap | None:
    return next((swap for swap in swaps if swap.fits(name, value)), None)


def _plain(name: str) -> str:
    """A name as options and parameters share it: ``--project-ids`` is ``project_ids``."""
    return name.lstrip("-+").rpartition(".")[2].replace("-", "_").lower()


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in nested mappings, with its names joined by dots."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, value


def _is_told(swap: Swap, parameters: Mapping[str, Any]) -> bool:
    """Whether parameters say what a number that stands alone is, and nothing else it could be."""
    found = [path for path, whole in _leaves(parameters) for leaf in _each(whole) if _text(leaf) == swap.old]
    return len(found) == 1 and swap.fits(found[0], swap.old)


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None


def _replaced(value: Any, swaps: Sequence[Swap], path: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _replaced(inner, swaps, f"{path}.{name}") for name, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, swaps, path) for inner in value]
    text = _text(value)
    swap = _fitting(swaps, path, text) if text is not None else None
    if swap is None:
        return value
    return int(swap.new) if isinstance(value, int) else swap.new
