"""A file on the Hugging Face hub, or at an address: found on this machine, or downloaded."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui_latent.datasets.download import download
from tui_latent.datasets.paths import data_folder, refuse_download
from tui_latent.datasets.progress import ProgressLog
from tui_latent.sources.errors import DataError

if TYPE_CHECKING:
    from tqdm import tqdm

_ANSWER_WITHIN: Final = 8.0
"""seconds in which the hub must answer; its own client tries for a minute before it gives up"""


@dataclass(frozen=True)
class HubFile:
    """The weights of one network, in the cache of huggingface_hub or on the hub."""

    repository: str
    """on the hub, as in timm/resnet18.a1_in1k; empty where there is only an address"""
    names: tuple[str, ...]
    """names of the file, the best first"""
    url: str = ""
    """where the file is outside of the hub"""

    def found(self) -> Path | None:
        """Return the file on this machine; None if it is not there."""
        if self.repository:
            from huggingface_hub import try_to_load_from_cache

            for name in self.names:
                path = try_to_load_from_cache(self.repository, name)
                if isinstance(path, str):
                    return Path(path)
        if not self.url:
            return None
        name = self.url.rpartition("/")[2]
        torchs = Path.home() / ".cache" / "torch" / "hub" / "checkpoints" / name
        return next((path for path in (self._ours, torchs) if path.is_file()), None)

    @property
    def _ours(self) -> Path:
        return data_folder() / "weights" / self.url.rpartition("/")[2]

    def fetched(self, missing: str, otherwise: str, what: str, log: Callable[[str], None]) -> Path:
        """Return the file, downloaded if it is not there; DataError if that cannot be.

        `missing` says what is missing, `otherwise` what helps, `what` is the network's name.
        """
        if (path := self.found()) is not None:
            return path
        place = self._from_hub if self.repository else lambda *_: self._from_address(what, log)
        refuse_download(missing, what, otherwise, hub=bool(self.repository))
        return place(missing, otherwise, log)

    def _from_address(self, what: str, log: Callable[[str], None]) -> Path:
        digits = Path(self._ours.stem).name.rpartition("-")[2]
        known = digits if len(digits) >= 8 and set(digits) <= set("0123456789abcdef") else ""
        download([self.url], self._ours, f"sha256:{known}", log, f"the weights file of {what}")
        return self._ours

    def _from_hub(self, missing: str, otherwise: str, log: Callable[[str], None]) -> Path:
        from huggingface_hub import constants, hf_hub_download
        from huggingface_hub import errors as hub

        if why := _no_answer(constants.ENDPOINT):
            raise DataError(
                f"{missing}, and {constants.ENDPOINT} cannot be reached ({why}): connect to the "
                f"network, or {otherwise}"
            )
        for name in self.names:
            log(f"downloading {name} of {self.repository} from {constants.ENDPOINT}")
            try:
                path = hf_hub_download(self.repository, name, tqdm_class=_bar(name, log))
                return Path(path)
            except (hub.GatedRepoError, hub.RepositoryNotFoundError) as error:
                raise DataError(
                    f"{missing}, and {constants.ENDPOINT} does not give {self.repository} to you: "
                    "accept its terms there and log in with `hf auth login`, or " + otherwise
                ) from error
            except hub.EntryNotFoundError:
                continue  # the file has its other name
            except (hub.HfHubHTTPError, OSError) as error:
                why = str(error).strip().partition("\n")[0]
                raise DataError(
                    f"{missing}, and the download failed ({why}): {otherwise}"
                ) from error
        raise DataError(
            f"{missing}, and {self.repository} has no file {' or '.join(self.names)}: {otherwise}"
        )


def _no_answer(address: str) -> str:
    """Return why a server does not answer; empty if it does, whatever it says."""
    try:
        request = urllib.request.Request(address, method="HEAD")
        urllib.request.urlopen(request, timeout=_ANSWER_WITHIN).close()
    except urllib.error.HTTPError:
        return ""
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return str(getattr(reason, "strerror", None) or reason)
    return ""


def _bar(name: str, log: Callable[[str], None]) -> type[tqdm[Any]]:
    """Return a progress bar that writes lines of a log instead of a terminal's."""
    from tqdm import tqdm

    class LoggedBar(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **(settings | {"disable": True}))
            self._progress, self._received = ProgressLog(log), int(settings.get("initial") or 0)

        def update(self, count: float | None = 1) -> None:
            self._received += int(count or 0)
            share = f" of {self.total / 1e6:.0f} MB" if self.total else " MB"
            self._progress(f"downloading {name}: {self._received / 1e6:.0f}{share}")

    return LoggedBar
