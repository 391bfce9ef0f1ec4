"""Options that several commands share, and the settings they add up to."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from soar_tui.cli.errors import InputError

if TYPE_CHECKING:
    from engine.config import Settings

JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON object (docs/json.md) and nothing else.")
]
RunArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run's name, a unique beginning of it, its folder, or `last`.",
        show_default=False,
    ),
]
DetachOption: TypeAlias = Annotated[
    bool, typer.Option("--detach", help="Return once the engine is ready; it goes on by itself.")
]
PresetOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="demo|cpu|paper",
        help="Budgets to start from, programs per task: demo 100 + 100, cpu 200 + 200, paper 3,000 + "
        "3,000. [default: cpu]",
        show_default=False,
    ),
]
ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        help="Settings to start from, in the form of a run's run.toml, in place of a preset.",
        show_default=False,
    ),
]
SetOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Change one setting, e.g. search.c=10 or vote.formula=text; may be given again.",
        show_default=False,
    ),
]
SeedOption: TypeAlias = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", help="Same seed, same run.", show_default=False),
]
SamplesOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--samples", metavar="N", help="Programs sampled per task at most.", show_default=False
    ),
]
RefinementsOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--refinements",
        metavar="N",
        help="Programs refined from others per task at most.",
        show_default=False,
    ),
]
NameOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        help="The run's name, if not day, task set and policy.",
        show_default=False,
    ),
]
CheckpointOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--checkpoint",
        metavar="CHECKPOINT",
        help="Start from what was learned: a run's name, RUN:ITERATION, a file, or `shipped`. "
        "[default: what `soar-tui checkpoints` marks with *]",
        show_default=False,
    ),
]
ClusterOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Run programs, and the embedded policy, on a Ray cluster: `auto` for this machine's, or "
        "ray://HOST:10001.",
        show_default=False,
    ),
]
FromScratchOption: TypeAlias = Annotated[
    bool, typer.Option("--from-scratch", help="Start from the untrained policy.")
]

OutOption: TypeAlias = Annotated[
    Path,
    typer.Option("--out", metavar="PATH", help="What to write; - is stdout.", show_default=False),
]
ForceOption: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Replace what is there already.")
]

DEFAULT_PRESET = "cpu"


def settings_from(
    preset_name: str | None,
    config: Path | None,
    assignments: list[str],
    fields: dict[str, object],
) -> Settings:
    """Return the settings the options add up to: preset or file, then fields, then assignments.

    `fields` are dotted names and their values; None means the option was not given. Raises
    InputError and ConfigError.
    """
    from engine.config import load_settings, preset

    if config is not None and preset_name is not None:
        raise InputError("--preset and --config both say what to start from: give one of them")
    base = preset(preset_name or DEFAULT_PRESET) if config is None else load_settings(config)
    given = {name: value for name, value in fields.items() if value is not None}
    return changed(base, assignments, given)


def changed(
    settings: Settings, assignments: list[str], fields: dict[str, object] | None = None
) -> Settings:
    """Return settings with fields and then assignments (`FIELD=VALUE`) put over them.

    Raises InputError and ConfigError.
    """
    from engine.config import override

    changes = dict(fields or {})
    for assignment in assignments:
        name, value = _assignment(assignment)
        changes[name] = value
    return override(settings, changes)


def starting_from(settings: Settings, checkpoint: str | None, *, from_scratch: bool) -> Settings:
    """Return the settings with the checkpoint a new run starts from.

    Asked for by name, else the settings' own, else for the embedded policy the one in use. Raises
    InputError, CheckpointChoiceError, RunFolderError.
    """
    import msgspec

    from soar_tui.checkpoints import checkpoint_in_use, find_checkpoint

    if checkpoint is not None and from_scratch:
        raise InputError("--checkpoint and --from-scratch contradict each other: give one of them")
    start = settings.policy.checkpoint
    if from_scratch:
        start = None
    elif checkpoint is not None:
        start = find_checkpoint(checkpoint)
    elif start is None and settings.policy.kind == "grammar":
        start = checkpoint_in_use()
    return msgspec.structs.replace(
        settings, policy=msgspec.structs.replace(settings.policy, checkpoint=start)
    )


def _assignment(text: str) -> tuple[str, Any]:
    """Split `field=value`; the value is read as TOML, or taken as a string if it is not TOML."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InputError(f"--set {text}: a setting is changed by FIELD=VALUE, e.g. search.c=10")
    try:
        return name.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name.strip(), value


def rooted(spec: str) -> str:
    """Return a task set's spec with its paths made absolute; specs that name a set stay.

    So a run does not depend on the folder from which its engine is started.
    """
    from engine.arc import task_sets

    place, colon, limit = spec.rpartition(":")
    if not colon or Path(spec).exists():
        place, colon, limit = spec, "", ""
    if place in {named.name for named in task_sets()}:
        return spec
    parts = place.split("+") if not Path(place).exists() else [place]
    if not all(Path(part).exists() for part in parts):
        return spec
    return "+".join(str(Path(part).resolve()) for part in parts) + colon + limit
