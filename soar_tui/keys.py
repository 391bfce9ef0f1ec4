"""Every key of the app in one table: what dispatches it, what help says of it, what users change.

A key belongs to a place or, with place "", to all of them; a place's key wins. Pressing one, a
click in the key line and the command palette all come to `App.action_act(id)`, which first asks
why the action may not run. The keys of lists and trees are their widgets' own bindings; they have
ids too, and the help of what has focus reads them from there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_config_path
from textual.binding import Binding, BindingType
from textual.keys import format_key, key_to_character

from soar_tui.sanitise import one_line


@dataclass(frozen=True, slots=True)
class Key:
    """One key: `keys` as Textual names them, comma-separated; `line`: shown in the key line.

    `id` is its name in the user's keymap and in the palette; the handler is `do_<id>` of the
    place or of the app, dashes as underscores.
    """

    id: str
    keys: str
    label: str
    help: str
    line: bool = False


PLACES: Final[tuple[tuple[str, str, str], ...]] = (
    ("0", "runs", "Runs"),
    ("1", "overview", "Overview"),
    ("2", "task", "Task"),
    ("3", "arms", "Arms"),
    ("4", "votes", "Votes"),
    ("5", "candidates", "Candidates"),
    ("6", "learn", "Learn"),
    ("7", "analysis", "Analysis"),
    ("8", "system", "System"),
)
"""Key, name and title of the places in the bar."""

INSIDE: Final[tuple[tuple[str, str, str], ...]] = (
    ("c", "chain", "Chain"),
    ("d", "diff", "Diff"),
    ("v", "prompt", "Prompt"),
)
"""The places inside a candidate."""

EVERYWHERE: Final[tuple[Key, ...]] = (
    *(Key(f"go-{name}", key, title, f"go to {title}") for key, name, title in PLACES),
    Key("go-chain", "c", "chain", "the candidate's refinement chain, from its root down"),
    Key("go-diff", "d", "diff", "what the candidate changed in its parent"),
    Key("go-prompt", "v", "prompt", "what the policy was given and what it replied"),
    Key("back", "escape", "back", "go back to where you came from"),
    Key("previous", "minus", "previous place", "switch to the previous place and back again"),
    Key("help", "question_mark", "help", "the keys of what has focus", line=True),
    Key("palette", "colon,ctrl+p", "commands", "find any action by its name", line=True),
    Key("filter", "slash", "filter", "show only what holds a text", line=True),
    Key("next-match", "n", "next match", "go to the next line that holds the text"),
    Key("previous-match", "N", "previous match", "go to the line before that holds the text"),
    Key("maximise", "z", "maximise", "give the focused pane the whole screen, and back"),
    Key("glyphs", "g", "digits", "write digits into the cells of grids, and back"),
    Key("freeze", "space", "freeze view", "hold the view still; the header goes on counting"),
    Key("pause", "p", "pause engine", "pause the engine (work under way finishes), or go on"),
    Key("start", "r", "start/resume", "start, resume or drain the engine"),
    Key("copy", "y", "copy", "copy what is selected to the clipboard and to a file"),
    Key("export", "e", "export", "write what this place shows to files"),
    Key("theme", "t", "theme", "switch to the next theme"),
    Key("bookmark", "b", "bookmark", "bookmark what is selected, with a note"),
    Key("quit", "q", "leave", "leave the app; the engine goes on"),
    Key("stop", "X", "stop engine", "stop the engine at once; asks you to type the run's name"),
)

_STEPS: Final = (
    Key("previous-task", "left_square_bracket", "task before", "the task before this one"),
    Key("next-task", "right_square_bracket", "task after", "the task after this one"),
    Key("previous-iteration", "comma", "iteration before", "look at the iteration before"),
    Key("next-iteration", "full_stop", "iteration after", "look at the iteration after"),
)

OF_PLACE: Final[dict[str, tuple[Key, ...]]] = {
    "runs": (
        Key("new-run", "n", "new run", "set up and start a new run", line=True),
        Key("demo", "D", "demo", "start a run on the sample tasks right away", line=True),
        Key("resume-run", "r", "resume", "start the selected run's engine again", line=True),
        Key("compare", "c", "compare", "mark a run; from the second on, compare them", line=True),
        Key("compare-file", "f", "settings file", "compare with a settings file", line=True),
        Key("alone", "C", "unmark", "take the marks of all runs to compare away"),
    ),
    "overview": (
        Key("follow", "F", "follow", "keep the task that was active last selected", line=True),
        *_STEPS[2:],
    ),
    "task": (
        *_STEPS,
        Key("best", "B", "best", "select the best candidate so far", line=True),
    ),
    "arms": (
        *_STEPS,
        Key("follow", "F", "follow", "keep the arm that was pulled last selected", line=True),
        Key("children", "o", "children", "show the candidates refined from this arm", line=True),
    ),
    "votes": (
        *_STEPS,
        Key(
            "formula",
            "f",
            "formula",
            "rank by another formula: sum, text, appendix …",
            line=True,
        ),
        Key("pool", "a", "pool", "vote over all iterations together, or over one", line=True),
    ),
    "candidates": (
        *_STEPS,
        Key("whole-run", "a", "all tasks", "list the whole run, or one task", line=True),
        Key("operator", "o", "operator", "only samples, only refinements, both", line=True),
        Key("status", "s", "status", "only perfect, right, running, failing, without program"),
        Key("accuracy", "h", "accuracy", "only an interval of accuracy", line=True),
        Key("filter-name", "f", "filter name", "only those a filter bars, or none", line=True),
        Key("marked", "m", "bookmarks", "only bookmarked candidates", line=True),
    ),
    "chain": (
        Key("parent", "h,left", "parent", "the step before", line=True),
        Key("child", "l,right", "child", "the step after", line=True),
    ),
    "diff": (
        Key("parent", "h,left", "parent", "the step before", line=True),
        Key("child", "l,right", "child", "the step after", line=True),
    ),
    "prompt": (),
    "learn": (
        *_STEPS[2:],
        Key("example", "o", "example", "show the selected example where it is hidden", line=True),
        Key("train", "T", "train", "choose data, learner and settings, and train", line=True),
        Key(
            "activate",
            "A",
            "activate",
            "let new runs of the embedded policy start from the selected checkpoint",
            line=True,
        ),
        Key(
            "roll-back",
            "R",
            "roll back",
            "let them start from the checkpoint that was in use before",
            line=True,
        ),
    ),
    "analysis": (
        *_STEPS[2:],
        Key("next-curve", "s", "next figure", "show the next figure", line=True),
        Key("compare", "C", "alone", "take what lies beside the run away again", line=True),
    ),
    "system": (Key("follow", "F", "follow log", "keep the end of the log in view", line=True),),
}
"""The keys of each place."""


def find(identifier: str, place: str = "") -> Key:
    """Return a key by id, a place's before one of everywhere. Raises KeyError."""
    for key in (*OF_PLACE.get(place, ()), *EVERYWHERE):
        if key.id == identifier:
            return key
    raise KeyError(identifier)


def bindings(place: str = "") -> list[BindingType]:
    """Return the bindings of a place, or those of everywhere."""
    table = OF_PLACE[place] if place else EVERYWHERE
    return [
        Binding(
            key.keys, f"app.act({key.id!r})", key.label, show=key.line, id=binding_id(key, place)
        )
        for key in table
    ]


def binding_id(key: Key, place: str) -> str:
    """Return the id of a key's binding, its name in the keymap: `arms.sort`, `pause`."""
    return f"{place}.{key.id}" if place else key.id


def names() -> frozenset[str]:
    """Return every name a keymap may use for our own keys."""
    of_places = {binding_id(key, place) for place, table in OF_PLACE.items() for key in table}
    return frozenset({key.id for key in EVERYWHERE} | of_places)


def shown(keys: str) -> str:
    """Return keys as people read them, e.g. `:` for `colon,ctrl+p`: the first of them."""
    return format_key(keys.split(",", maxsplit=1)[0].strip())


@dataclass(frozen=True, slots=True)
class Keymap:
    """The user's keys by binding id, and one sentence per entry that cannot be used."""

    keys: Mapping[str, str]
    faults: tuple[str, ...]


def keymap_path() -> Path:
    """Return the file whose table `[keys]` changes keys."""
    return user_config_path("soar-tui", appauthor=False) / "config.toml"


def load_keymap(path: Path | None = None, *, of_widgets: frozenset[str] = frozenset()) -> Keymap:
    """Read the user's keymap: `[keys]`, each entry a name and its keys, e.g. `pause = "P"`.

    `of_widgets` are the names that widgets' own bindings have. A file that is not there changes
    nothing; what cannot be used is left out and told about.
    """
    path = keymap_path() if path is None else path
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Keymap({}, ())
    except OSError as error:
        return Keymap({}, (f"{path.name}: {error.strerror}",))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        return Keymap({}, (one_line(f"{path.name}: not TOML: {error}"),))
    table = document.get("keys", {})
    if not isinstance(table, dict):
        return Keymap({}, (f"{path.name}: keys: must be a table",))
    known = names() | of_widgets
    keys: dict[str, str] = {}
    faults = []
    for name, value in table.items():
        if name not in known:
            faults.append(one_line(f"{path.name}: [keys] {name}: no such key name; `?` lists them"))
        elif not isinstance(value, str) or not all(map(_a_key, value.split(","))):
            faults.append(
                one_line(f'{path.name}: [keys] {name}: must be keys such as "P" or "ctrl+t,f"')
            )
        else:
            keys[name] = value
    return Keymap(keys, tuple(faults))


def _a_key(text: str) -> bool:
    name = text.strip().rpartition("+")[2] if len(text.strip()) > 1 else text.strip()
    named = name.replace("_", "").isalnum() and name.isascii()
    return len(name) == 1 or (named and (key_to_character(name) is not None or name.islower()))
