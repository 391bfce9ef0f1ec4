"""What a settings field allows, for messages that refuse a value or a name."""

from __future__ import annotations

import difflib

from msgspec import inspect


def refusal(error: Exception, settings: type) -> str:
    """Return msgspec's complaint as `field: what is wrong; what is allowed`.

    `settings` is the struct that was converted to; fields are dotted, entries of a list in brackets.
    """
    text, _, place = str(error).partition(" - at `$")
    place = place.removeprefix(".").rstrip("`")
    field = _field(inspect.type_info(settings), place)
    if isinstance(field, inspect.LiteralType):
        text += f"; choose one of {', '.join(map(str, field.values))}"
    elif isinstance(field, inspect.StructType) and "unknown field `" in text:
        unknown = text.partition("unknown field `")[2].rstrip("`")
        names = [inner.encode_name for inner in field.fields]
        near = difflib.get_close_matches(unknown, names, n=1)
        text += f"; did you mean `{near[0]}`?" if near else f"; choose one of {', '.join(names)}"
    return f"{place}: {text}" if place else text


def _field(of: inspect.Type, place: str) -> inspect.Type:
    """Return the type at a place such as `policy.endpoints[0].server`, without its None."""
    for step in place.replace("[", ".[").split(".") if place else ():
        of = _entry(of, step)
    return of


def _entry(of: inspect.Type, step: str) -> inspect.Type:
    of = _present(of)
    if isinstance(of, inspect.StructType):
        return _present(next(field.type for field in of.fields if field.encode_name == step))
    if isinstance(of, inspect.VarTupleType):
        return _present(of.item_type)
    return of


def _present(of: inspect.Type) -> inspect.Type:
    """Return a type that may also be None as what it is otherwise."""
    if not isinstance(of, inspect.UnionType):
        return of
    return next(each for each in of.types if not isinstance(each, inspect.NoneType))
