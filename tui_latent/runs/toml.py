"""Write the values of a preset as TOML; `tomllib` reads, and the standard library has no writer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dump_toml(table: Mapping[str, Any], prefix: str = "") -> str:
    """Write a table of texts, numbers, flags, sequences and tables; None is left out."""
    plain = {k: v for k, v in table.items() if v is not None and not _is_tables(v)}
    lines = [f"{_key(key)} = {_value(value)}\n" for key, value in plain.items()]
    for key, value in table.items():
        name = f"{prefix}{_key(key)}"
        if isinstance(value, Mapping):
            lines.append(f"\n[{name}]\n{dump_toml(value, name + '.')}")
        elif _is_tables(value):
            lines += [f"\n[[{name}]]\n{dump_toml(item, name + '.')}" for item in value]
    return "".join(lines)


def _is_tables(value: Any) -> bool:
    if isinstance(value, Mapping):
        return True
    return _is_sequence(value) and bool(value) and all(isinstance(i, Mapping) for i in value)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(int(value) if isinstance(value, int) else float(value))
    if isinstance(value, str):
        return _text(value)
    if _is_sequence(value):
        return f"[{', '.join(_value(item) for item in value)}]"
    raise TypeError(f"a preset cannot hold {value!r}")


def _text(text: str) -> str:
    clean = text.encode("utf-8", "backslashreplace").decode()  # lone surrogates of odd file names
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")
