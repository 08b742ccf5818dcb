"""Reads a configuration file, and knows where in it each value stands.

YAML as JSON has it: no dates, no duplicate keys. `${NAME}` is a variable of the environment, `${file:path}` what is in
a file, relative to the configuration file; `$${` is a plain `${`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import yaml
from yaml.reader import ReaderError

from service.bootstrap.errors import StartError
from service.client.errors import Json

_PLACEHOLDER = re.compile(r"\$?\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MOST_VALUES = 300_000


class ConfigFileError(StartError):
    """The file cannot be read, or is no configuration. The text names file, line and column."""


class _Loader(yaml.SafeLoader):
    """Reads what JSON has: YAML 1.1 would take 2026-11-01 for a date, 10:30 for 630 and 010 for 8."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        """Raises MarkedYAMLError, also for a text that is not what its tag says."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError) as error:
            wanted = node.tag.rpartition(":")[2]
            raise yaml.MarkedYAMLError(problem=f"this is no {wanted}", problem_mark=node.start_mark) from error


_OLD = {f"tag:yaml.org,2002:{kind}" for kind in ("timestamp", "int", "float")}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, expression) for tag, expression in resolvers if tag not in _OLD]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_FIRST = list("-0123456789")
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(0|[1-9][0-9]*)$"), _FIRST)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$"), _FIRST
)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """`places` are where values stand, such as "tocsin.yaml:12:5", by JSON pointer."""

    document: Json
    places: Mapping[str, str]

    def place(self, pointer: str) -> str:
        """Returns where a value stands, or the innermost one around it that does."""
        return self.places[self._nearest(pointer)]

    def lacking(self, pointer: str) -> str:
        """Returns the part of a pointer that the file does not have, such as "kind"; empty where it has all of it."""
        return pointer.removeprefix(self._nearest(pointer)).removeprefix("/")

    def _nearest(self, pointer: str) -> str:
        while pointer not in self.places and pointer:
            pointer = pointer.rpartition("/")[0]
        return pointer


def read_config(path: Path, environment: Mapping[str, str]) -> ConfigFile:
    """Raises ConfigFileError."""
    try:
        file = _parsed(path, path.read_text("utf-8"))
        return ConfigFile(_filled(file.document, "", file, _Sources(path.parent, environment)), file.places)
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise ConfigFileError(f"{path}: {said}. --file names the file; tocsin export writes one") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigFileError(f"{path}{where}: {error.problem or error.context}") from error
    except ReaderError as error:
        raise ConfigFileError(f"{path}: the character {error.position + 1} is none that YAML has") from error
    except RecursionError as error:
        raise ConfigFileError(f"{path}: nested too deeply") from error


def escaped(value: Json) -> Json:
    """Returns a document as a file says it: a plain `${...}` is no placeholder there."""
    match value:
        case dict():
            return {key: escaped(one) for key, one in value.items()}
        case list():
            return [escaped(one) for one in value]
        case str():
            return _PLACEHOLDER.sub(lambda found: f"${found[0]}", value)
        case _:
            return value


def _parsed(path: Path, text: str) -> ConfigFile:
    """Returns a file without its placeholders filled. Raises YAMLError and ConfigFileError."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise ConfigFileError(f"{path}:1:1: expected kinds of resources, such as `budgets:`")
        places: dict[str, str] = {}
        for pointer, place in _places(path, node, ""):
            places[pointer] = place
            if len(places) > MOST_VALUES:  # a few lines of aliases can stand for billions
                raise ConfigFileError(f"{place}: the file has more than {MOST_VALUES:,} values")
        return ConfigFile(loader.construct_document(node), places)
    finally:
        loader.dispose()


def _places(path: Path, node: yaml.Node, pointer: str) -> Iterator[tuple[str, str]]:
    place = f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
    yield pointer, place
    if isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield from _places(path, value, f"{pointer}/{position}")
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            where = f"{path}:{key.start_mark.line + 1}:{key.start_mark.column + 1}"
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigFileError(f"{where}: this is no name of a field")
            if key.value in seen:
                raise ConfigFileError(f"{where}: {key.value!r} stands here twice")
            seen.add(key.value)
            yield from _places(path, value, f"{pointer}/{_escaped_part(key.value)}")


def _escaped_part(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class _Sources:
    folder: Path
    environment: Mapping[str, str]

    def value(self, name: str) -> str:
        """Raises ValueError where there is no such variable or file."""
        if name.startswith("file:"):
            try:
                return (self.folder / name.removeprefix("file:")).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(str(error)) from error
        if not _NAME.fullmatch(name):
            raise ValueError(f"${{{name}}} is neither a variable's name nor file:path; write $${{ for a plain ${{")
        if name not in self.environment:
            raise ValueError(f"the variable {name} is not set")
        return self.environment[name]


def _filled(value: object, pointer: str, file: ConfigFile, sources: _Sources) -> Json:
    """Returns the value with each placeholder replaced."""
    match value:
        case dict():
            return {
                _key(key, pointer, file): _filled(one, f"{pointer}/{_escaped_part(key)}", file, sources)
                for key, one in value.items()
            }
        case list():
            return [_filled(one, f"{pointer}/{place}", file, sources) for place, one in enumerate(value)]
        case str():
            try:
                return _PLACEHOLDER.sub(
                    lambda found: found[0][1:] if found[0].startswith("$$") else sources.value(found[1]), value
                )
            except ValueError as error:
                raise ConfigFileError(f"{file.place(pointer)}: {error}") from error
        case float() if not isfinite(value):
            raise ConfigFileError(f"{file.place(pointer)}: JSON has no such value; write a string")
        case bool() | int() | float() | None:
            return value
        case _:
            raise ConfigFileError(f"{file.place(pointer)}: JSON has no such value; write a string")


def _key(key: object, pointer: str, file: ConfigFile) -> str:
    if not isinstance(key, str):
        raise ConfigFileError(f"{file.place(pointer)}: {key!r} is no name of a field; write it in quotes")
    return key
