"""Writes docs/settings.md out of engine/config.py: `python -m tests.docs.settings`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.inspect import (
    BoolType,
    DictType,
    Field,
    FloatType,
    IntType,
    LiteralType,
    NoneType,
    StrType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from engine.config import PRESETS, Settings
from tests.docs.fields import descriptions, row, sentence

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
COMMAND = "python -m tests.docs.settings"

INTRODUCTION = f"""\
# Settings
All fields of a run's `run.toml`. `soar-tui run` starts from a preset (`--preset`, default `cpu`) or a file
of yours (`--config FILE.toml`, where what is left out has the preset `paper`'s value) and puts single
fields over it: `--set search.samples=500 --set vote.formula=text`. A field that is unknown or out of
range is refused before anything is written. What the method's fields mean: [SOAR as built](method.md).

Where a preset differs from the default its value stands below it. This page is made by `{COMMAND}` out
of `engine/config.py`; a test compares them.
"""


def page() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    for path, section in _sections("", _struct(Settings)):
        heading = "## The run" if not path else f"## {path}"
        parts.append(
            "\n".join([heading, f"{sentence(section.cls.__doc__)}\n", *_table(path, section)])
        )
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _struct(kind: type) -> StructType:
    found = type_info(kind)
    assert isinstance(found, StructType)
    return found


def _sections(path: str, section: StructType) -> Iterator[tuple[str, StructType]]:
    """Yield every table of the file with its dotted name, in the order of the fields."""
    yield path, section
    for field in section.fields:
        inner = _inner(field.type)
        if inner is not None:
            many = "[]" if isinstance(field.type, VarTupleType) else ""
            yield from _sections(f"{path}.{field.name}{many}".lstrip("."), inner)


def _inner(kind: Type) -> StructType | None:
    match kind:
        case StructType():
            return kind
        case VarTupleType(item_type=StructType() as item):
            return item
        case UnionType(types=types):
            return next((each for each in types if isinstance(each, StructType)), None)
    return None


def _table(path: str, section: StructType) -> Iterator[str]:
    told = descriptions(section.cls)
    yield "| field | default | allowed | |"
    yield "|---|---|---|---|"
    for field in section.fields:
        if isinstance(field.type, StructType):
            continue
        yield row(
            (
                f"`{field.name}`",
                _default(path, field),
                _allowed(field.type),
                sentence(told.get(field.name)),
            )
        )


def _default(path: str, field: Field) -> str:
    if field.required:
        return "must be given"
    if "[]" in path or path.startswith("policy.endpoints"):
        return _value(field.default)
    values = {name: _at(PRESETS[name], path, field.name) for name in PRESETS}
    usual = values.pop("paper")
    others = [f"{name}: {_value(value)}" for name, value in values.items() if value != usual]
    return "<br>".join([_value(usual), *others])


def _at(settings: Settings, path: str, name: str) -> Any:
    place: Any = settings
    for step in filter(None, [*path.split("."), name]):
        place = getattr(place, step)
    return place


def _value(value: Any) -> str:
    match value:
        case None:
            return "none"
        case msgspec.NODEFAULT:
            return "{}"
        case bool():
            return str(value).lower()
        case int():
            return f"{value:,}" if value >= 10_000 else str(value)
        case float():
            return f"{value:g}"
        case str():
            return f"`{value}`"
        case ():
            return "[]"
    raise TypeError(f"no way to print {value!r}")


def _allowed(kind: Type) -> str:
    match kind:
        case BoolType():
            return "true, false"
        case IntType() | FloatType():
            word = "integer" if isinstance(kind, IntType) else "number"
            bounds = [
                f"{sign} {bound:g}"
                for sign, bound in (("≥", kind.ge), (">", kind.gt), ("≤", kind.le), ("<", kind.lt))
                if bound is not None
            ]
            return " ".join([word, ", ".join(bounds)]).strip()
        case LiteralType(values=values):
            return ", ".join(f"`{value}`" for value in values)
        case StrType(pattern=pattern):
            return "text" if pattern is None else f"text like `{pattern}`"
        case VarTupleType(item_type=item):
            return "tables" if isinstance(item, StructType) else f"list of {_allowed(item)}"
        case DictType():
            return "table"
        case UnionType(types=types):
            kinds = [_allowed(each) for each in types if not isinstance(each, NoneType)]
            return " or ".join(kinds)
        case StructType():
            return "table"
    raise TypeError(f"no way to say what {kind!r} allows")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {len(page().splitlines())} lines\n")
