"""The language's vocabulary, a module per subject; programs are emitted from these very texts."""

from engine.policies.grammar.language import PRIMITIVES
from engine.policies.grammar.primitives import (
    box_features,
    colour,
    colour_rules,
    counting,
    geometry,
    grids,
    growth,
    line_features,
    lines,
    movement,
    neighbour_features,
    object_features,
    objects,
    panel_tables,
    panels,
    position_features,
    region_features,
    relations,
    scaling,
    selection,
    symmetry,
    tables,
    templates,
)

MODULES = (
    grids,
    objects,
    panels,
    position_features,
    line_features,
    neighbour_features,
    object_features,
    box_features,
    region_features,
    geometry,
    scaling,
    colour,
    selection,
    symmetry,
    lines,
    movement,
    growth,
    counting,
    relations,
    templates,
    tables,
    colour_rules,
    panel_tables,
)
"""Every module of the vocabulary, a module after those it builds on."""

ALL = tuple(PRIMITIVES.values())
"""Every primitive, in the order of registration; models weigh them in this order."""

__all__ = ["ALL", "MODULES"]
