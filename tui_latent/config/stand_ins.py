"""The preset of a run whose plugin is not loaded: all of it but what the plugin describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict, ValidationError

from tui_latent.config.earlier_runs import fill_in
from tui_latent.config.methods import METHOD_SETTINGS, MethodSettings
from tui_latent.config.networks import NETWORKS
from tui_latent.config.plugin_needs import missing_plugins
from tui_latent.config.preset_files import PresetError, read_table
from tui_latent.config.settings import DataSettings, Preset
from tui_latent.sources import SOURCES


class UnknownMethod(MethodSettings):
    """The settings of a method that nothing here describes; its network cannot be built."""

    model_config = ConfigDict(extra="allow")

    why: str
    """what the run needs, and how to get it"""
    staged: ClassVar[bool] = True


def preset_without_plugins(run: Path) -> tuple[Preset, str]:
    """Return a run's preset with stand-ins for what its plugins add, and what is missing.

    What is missing is empty if everything is there. PresetError if the preset is invalid
    otherwise.
    """
    path = run / "preset.toml"
    table = read_table(path)
    provenance = table.pop("provenance", {})
    missing = missing_plugins(provenance) if isinstance(provenance, dict) else ""
    why = f"{run.name} {missing}" if missing else ""
    fill_in(table)
    try:
        return _read(table, why), why
    except (ValidationError, TypeError, KeyError, AttributeError) as error:
        problem = f"cannot be read without its plugin: {error}".partition("\n")[0]
        raise PresetError(str(path), [("", problem)]) from error


def _read(table: dict[str, Any], why: str) -> Preset:
    data, method = dict(table["data"]), dict(table["method"])
    source = data["source"]
    if source not in SOURCES:
        data |= {"source": "digits"}
    known = METHOD_SETTINGS.get(method["name"])
    if known is None:
        settings: MethodSettings = UnknownMethod(**method, why=why)
    else:
        unknown = lacks_network(method.get("network"))
        settings = known.model_validate(method | ({"network": "mlp"} if unknown else {}))
        if unknown:
            settings = settings.model_copy(update={"network": method["network"]})
    preset = Preset.model_validate({**table, "data": data, "method": settings})
    there: DataSettings = preset.data.model_copy(update={"source": source})
    return preset.model_copy(update={"data": there})


def lacks_network(network: object) -> bool:
    """Return whether a setting names a network that a plugin would have to bring."""
    if not isinstance(network, str):
        return False
    return network not in NETWORKS and not network.startswith("timm:")
