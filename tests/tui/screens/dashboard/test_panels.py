"""The panels of the dashboard, by the names that people use in their settings."""

from __future__ import annotations

from tui_latent.preferences.config_file import PANELS
from tui_latent.tui.screens.dashboard.panels import _PANELS


def test_every_panel_can_be_chosen_by_its_name() -> None:
    assert set(_PANELS) == set(PANELS)
