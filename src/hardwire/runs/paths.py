"""A user's own files that a run reads: kept as absolute paths, and found again when they have moved with the run."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from ..core.settings import Settings

SettingsT = TypeVar("SettingsT", bound=Settings)


def is_path(value: str) -> bool:
    """Whether a setting that may be a name or a file is a file or folder: names have neither suffix nor slash."""
    return bool(Path(value).suffix) or "/" in value or os.sep in value


def with_absolute_files(settings: SettingsT) -> SettingsT:
    """Return the settings with the absolute path of each file that is there."""
    given = {name: getattr(settings, name) for name in sorted(settings.FILES)}
    files = {name: os.path.abspath(v) for name, v in given.items() if is_path(v) and os.path.exists(v)}
    return settings.changed(**files) if files else settings


def relative_files(settings: Settings, folder: Path) -> dict[str, str]:
    """Return setting -> path from ``folder``, of each file that ``with_absolute_files`` made absolute."""
    files = {name: getattr(settings, name) for name in sorted(settings.FILES) if os.path.isabs(getattr(settings, name))}
    try:
        return {name: os.path.relpath(path, folder) for name, path in files.items()}
    except ValueError:  # another drive
        return {}


def with_found_files(settings: SettingsT, relative: Mapping[str, str], folder: Path) -> SettingsT:
    """Return the settings with each file where it lies now.

    A file that is no longer where it was is looked for where it lies from the run directory ``folder``, by
    ``relative`` as ``relative_files`` gave it, then by its name in the current folder. That it is the same file is told
    by the fingerprint of the data.
    """
    changed: dict[str, str] = {}
    for name in settings.FILES:
        value = getattr(settings, name)
        if is_path(value) and not os.path.exists(value):
            places = folder / relative.get(name, value), Path(Path(value).name)
            if found := next(filter(os.path.exists, places), None):
                changed[name] = os.path.abspath(found)
    return settings.changed(**changed) if changed else settings


def same_value(before: object, now: object) -> bool:
    """Whether two values of a setting in ``FILES`` name the same file; one that has moved keeps its name."""
    if before == now:
        return True
    if not (isinstance(before, str) and isinstance(now, str) and is_path(now)):
        return False
    one, two = Path(before), Path(now)
    return one.name == two.name and (not one.exists() or (two.exists() and one.samefile(two)))
