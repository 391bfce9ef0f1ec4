"""The keys that our widgets bring, told apart by ids that a user's keymap may name."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from soar_tui import widgets
from soar_tui.widgets.palette import Painted


def widget_binding_ids() -> frozenset[str]:
    """Return the ids of the widgets' keys; imports every widget."""
    for module in iter_modules(widgets.__path__):
        import_module(f"{widgets.__name__}.{module.name}")
    found: set[str] = set()
    classes: list[type] = [Painted]
    while classes:
        kind = classes.pop()
        classes += kind.__subclasses__()
        for binding in kind.__dict__.get("BINDINGS", ()):
            if getattr(binding, "id", None):
                found.add(binding.id)
    return frozenset(found)
