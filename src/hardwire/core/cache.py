"""What may be kept between processes: small JSON values in the user's cache, lost without harm."""

import hashlib
import json
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from .errors import InputError
from .files import write_text


def _path(kind: str, key: object) -> Path:
    digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()
    return user_cache_path("hardwire") / kind / f"{digest[:32]}.json"


def recall(kind: str, key: object) -> Any:
    """The value that was kept under ``key``; None where there is none, or the cache cannot be read."""
    try:
        kept = json.loads(_path(kind, key).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept.get("value") if isinstance(kept, dict) else None


def keep(kind: str, key: object, value: Any) -> None:
    """Keep a plain value under ``key``; a cache that cannot be written keeps nothing."""
    try:
        write_text(_path(kind, key), json.dumps({"key": key, "value": value}, default=str) + "\n", durable=False)
    except InputError:
        return
