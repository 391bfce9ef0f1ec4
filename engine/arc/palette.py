"""The ten colours of ARC, as its own viewer draws them."""

PALETTE = (
    "#000000",
    "#1e93ff",
    "#f93c31",
    "#4fcc30",
    "#ffdc00",
    "#999999",
    "#e53aa3",
    "#ff851b",
    "#87d8f1",
    "#921231",
)
"""#rrggbb of the colours 0 to 9."""
