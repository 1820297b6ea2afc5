"""The engine of a Ray cluster: one that runs already, or one that it starts on this machine."""

from __future__ import annotations

import os
import re
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from tui_latent.config.plugin_needs import files_needed
from tui_latent.launch.sweep.engine import Ended, EngineError
from tui_latent.launch.sweep.ray_session import RaySession
from tui_latent.runs.control import read_request
from tui_latent.runs.manifest import read_manifest
from tui_latent.runtime.versions import version_of

_REACH: Final = 5.0
"""seconds to reach the cluster's address"""
_CHECK: Final = 60.0
"""seconds for all nodes to answer"""
_RESTARTS: Final = 5
"""times that a run goes on elsewhere after its node or worker was lost"""
_USES_TLS: Final = "RAY_USE_TLS"
_TOKENS: Final = "RAY_AUTH_MODE"
"""says whether a token is sent; with an address, Ray sends one only if this is set"""
_PORTS: Final = 65_535
_SETTINGS: Final = 4
"""type of the frame with which both sides of HTTP/2 begin"""
_PROGRAMS: Final = ("tui-latent", "torch")


class RayEngine:
    """Trains runs as tasks; a run whose node is lost goes on elsewhere from its checkpoint."""

    def __init__(self, address: str | None, jobs: int | None, runs: Path) -> None:
        """Connect to the cluster; EngineError when it cannot be used.

        All nodes must have the folder `runs` and the same programs.
        """
        try:
            import ray
        except ImportError as error:
            raise EngineError("--engine ray needs Ray: pip install 'tui-latent[ray]'") from error
        self._ray = ray
        self._jobs = jobs
        self._tasks: dict[Any, Path] = {}
        if address is not None:
            _refuse_unreachable(address)
        self._session = None if address else RaySession()
        path = os.environ.get("PYTHONPATH", "")
        variables = {"PYTHONPATH": path} if path else {}
        try:
            ray.init(
                address=address or "local",
                num_cpus=None if address else jobs,
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level="error",
                _temp_dir=str(self._session.path) if self._session else None,
                runtime_env={"env_vars": variables} if variables else None,
            )
        except Exception as error:  # Ray raises bare ones, as when its start takes too long
            self.close()
            where = f"at {address}" if address else "on this machine"
            raise EngineError(f"cannot use a Ray cluster {where}: {_why(error)}") from error
        try:
            self._refuse_other_nodes(runs)
        except BaseException:
            self.close()
            raise
        self._gpus = ray.cluster_resources().get("GPU", 0) > 0
        self._train = ray.remote(_train)

    def room(self) -> int:
        """Return how many more runs can be given to it now; Ray lets the others wait."""
        if self._jobs is not None:
            return self._jobs - len(self._tasks)
        resources = self._ray.cluster_resources()
        at_once = int(resources.get("GPU", 0)) or int(resources.get("CPU", 1))
        return max(at_once, 1) - len(self._tasks)

    def start(self, paths: Sequence[Path]) -> None:
        """Train these runs, or resume them."""
        for path in paths:
            device = str(read_manifest(path).preset.get("train", {}).get("device", "auto"))
            gpu = 1 if self._gpus and device != "cpu" else 0
            task = self._train.options(
                num_cpus=1, num_gpus=gpu, max_retries=_RESTARTS, name=path.name
            ).remote(str(path.absolute()), read_request(path), files_needed(path))
            self._tasks[task] = path

    def ended(self) -> list[Ended]:
        """Return the runs whose tasks have ended, and what Ray says about those that failed."""
        if not self._tasks:
            return []
        done, _ = self._ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=0)
        found = []
        for task in done:
            problem = ""
            try:
                self._ray.get(task)
            except self._ray.exceptions.RayError as error:
                problem = _last_line(error)
            found.append(Ended(self._tasks.pop(task), problem))
        return found

    def close(self) -> None:
        """Leave the cluster; one that was started here ends, and its files are removed."""
        self._ray.shutdown()
        if self._session is not None:
            self._session.close()

    def _refuse_other_nodes(self, runs: Path) -> None:
        """Raise EngineError for nodes that lack the folder of runs, or have other programs."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        runs.mkdir(parents=True, exist_ok=True)
        mark = runs.absolute() / f".ray-{secrets.token_hex(8)}"
        mark.write_bytes(b"")
        try:
            look = self._ray.remote(_facts)
            nodes = {
                node["NodeID"]: node["NodeManagerAddress"]
                for node in self._ray.nodes()
                if node["Alive"]
            }
            answers = {
                look.options(
                    num_cpus=0,
                    scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
                ).remote(str(mark)): where
                for node, where in nodes.items()
            }
            done, late = self._ray.wait(list(answers), num_returns=len(answers), timeout=_CHECK)
            problems = [f"{answers[task]} has not answered within {_CHECK:.0f} s" for task in late]
            for task in done:
                problems += self._problems(task, answers[task])
        finally:
            with suppress(OSError):
                mark.unlink()
        if problems:
            raise EngineError(
                f"not all nodes of the Ray cluster can train: {'; '.join(problems)}. "
                "Give them the same programs and the same folder, or leave them out"
            )

    def _problems(self, task: Any, where: str) -> list[str]:
        try:
            there: Mapping[str, Any] = self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            return [f"{where} cannot run tui-latent ({_last_line(error)})"]
        here = _facts("")
        problems = [
            f"{where} has {program} {there[program]}, this machine {here[program]}"
            for program in (*_PROGRAMS, "Python")
            if there[program] != here[program]
        ]
        return problems + ([] if there["folder"] else [f"{where} does not have the folder of runs"])


def _facts(mark: str) -> dict[str, Any]:
    """Return the programs of a node, and whether it sees the file `mark`."""
    programs: dict[str, Any] = {program: version_of(program) for program in _PROGRAMS}
    python = ".".join(map(str, sys.version_info[:2]))
    return programs | {"Python": python, "folder": Path(mark).exists()}


def _train(path: str, asked_before: Any, plugins: Sequence[str]) -> None:
    from tui_latent.launch.sweep.trial import train_once_free

    train_once_free(Path(path), asked_before, plugins)


def _refuse_unreachable(address: str) -> None:
    """Raise EngineError when no Ray is at an address; Ray itself would try for minutes."""
    if address in ("auto", "local"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _PORTS:
        raise EngineError(f"--address {address}: write host:port, as ray start prints it, or auto")
    try:
        with closing(socket.create_connection((host.strip("[]"), int(port)), _REACH)) as connection:
            answers = _USES_TLS in os.environ or _answers(connection)
    except OSError as error:
        raise EngineError(
            f"no Ray cluster answers at {address} ({error}): start one there with ray start "
            "--head, or leave out --address to start one here"
        ) from error
    if not answers:
        raise EngineError(
            f"what listens at {address} is not a Ray cluster: use the address that ray start "
            "printed there; its dashboard has another port"
        )


def _answers(connection: socket.socket) -> bool:
    """Return whether HTTP/2 is spoken there, as Ray does (RFC 9113, section 3.4)."""
    connection.settimeout(_REACH)
    connection.sendall(
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0))
    )
    head = b""
    while len(head) < 9:
        try:
            more = connection.recv(9 - len(head))
        except (TimeoutError, ConnectionError):
            return False
        if not more:
            return False
        head += more
    return head[3] == _SETTINGS


def _why(error: BaseException) -> str:
    """Return why Ray does not connect, and what to do about it."""
    said = " ".join(str(error).split())
    versions = re.findall(r"\bRay: (\S+) Python: (\S+)", said)
    if len(versions) == 2:
        there, here = (f"Ray {ray} and Python {python}" for ray, python in versions)
        return f"it has {there}, this machine {here}: install the same versions"
    if isinstance(error, ConnectionError) and _TOKENS not in os.environ:
        said += (
            f": if it asks for a token, set {_TOKENS}=token, and give the token in RAY_AUTH_TOKEN "
            "or ~/.ray/auth_token"
        )
    if "timed out during startup" in said:
        said += " Run the same command again when this machine has less to do."
    return said or type(error).__name__


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
