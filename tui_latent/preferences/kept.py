"""What was chosen in the dashboard: settings in the config file, views in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tui_latent.preferences.config_file import (
    DEFAULTS,
    Preferences,
    keep_preference,
    read_preferences,
)
from tui_latent.preferences.view_state import ViewStates


class Kept:
    """A person's settings and views; without a place to keep them, they are forgotten."""

    def __init__(self, config: Path | None = None, cache: Path | None = None) -> None:
        """`config` is the config file, `cache` the folder of what can be made again."""
        self.config, self.cache = config, cache
        self.preferences: Preferences = DEFAULTS
        self.problems: list[str] = []
        """problems of the config file"""
        if config is not None:
            self.preferences, self.problems = read_preferences(config)
        self._views = None if cache is None else ViewStates(cache / "views")

    def view(self, run: Path | None) -> Mapping[str, Any]:
        """Return how a run, or for None the menu, was last shown."""
        return {} if self._views is None else self._views.of(run)

    def look(self, run: Path | None, screen: str) -> Mapping[str, Any]:
        """Return how a screen last showed a run; another version may have written it."""
        table = self.view(run).get(screen)
        return table if isinstance(table, dict) else {}

    def looks(self, run: Path) -> Mapping[str, Any]:
        """Return how to show the dashboard of a run: the settings, and the run's own view."""
        own, view = self.preferences, self.view(run)
        return {
            "axis": own.axis,
            "smoothing": own.smoothing,
            "panels": own.panels,
            "log": view.get("log"),
            "weighted": view.get("weighted"),
            "film": view.get("film"),
        }

    def keep_view(self, run: Path | None, name: str, value: Any) -> None:
        """Keep how a run, or the menu, is shown."""
        if self._views is not None:
            self._views.keep(run, name, value)

    def keep_setting(self, name: str, value: Any) -> str:
        """Write a setting into the config file; return why that failed, or an empty text.

        It applies from now on, whether or not it could be written.
        """
        self.preferences = replace(self.preferences, **{name: value})
        if self.config is None:
            return ""
        try:
            keep_preference(self.config, name, value)
        except (OSError, ValueError) as error:
            return f"{self.config}: {name} is not kept: {error}"
        return ""
