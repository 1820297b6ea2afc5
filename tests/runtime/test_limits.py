"""Containers' limits, read from folders as the kernel lays them out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_latent.runtime.limits import Memory, cpu_cores, memory

GIB = 1 << 30
MACHINE = Memory(64 * GIB, 60 * GIB)
V2 = "31 23 0:28 {top} /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "3{n} 31 0:3{n} {top} /sys/fs/cgroup/{name} rw shared:9 - cgroup cgroup rw,{name}\n"


def system(root: Path, groups: str, mounts: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/self/cgroup": groups, "proc/self/mountinfo": mounts, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", 16),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("3200000 100000", 16),
        ("torn", 16),
    ],
)
def test_the_cores_are_those_of_the_quota_in_version_2(
    tmp_path: Path, quota: str, cores: int
) -> None:
    files = {"sys/fs/cgroup/cpu.max": f"{quota}\n"}
    root = system(tmp_path, "0::/\n", V2.format(top="/"), files)
    assert cpu_cores(root, allowed=16) == cores


def test_the_tightest_group_above_counts(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/user.slice/cpu.max": "300000 100000\n",
        "sys/fs/cgroup/user.slice/memory.max": f"{4 * GIB}\n",
        "sys/fs/cgroup/user.slice/memory.current": f"{3 * GIB}\n",
        "sys/fs/cgroup/user.slice/memory.stat": f"anon 1\ninactive_file {GIB}\n",
        "sys/fs/cgroup/user.slice/job/cpu.max": "max 100000\n",
        "sys/fs/cgroup/user.slice/job/memory.max": f"{8 * GIB}\n",
        "sys/fs/cgroup/user.slice/job/memory.current": f"{GIB}\n",
        "sys/fs/cgroup/user.slice/job/cpuset.cpus.effective": "0-3,8\n",
    }
    root = system(tmp_path, "0::/user.slice/job\n", V2.format(top="/"), files)
    assert cpu_cores(root, allowed=16) == 3
    assert memory(root, MACHINE) == Memory(4 * GIB, 2 * GIB)


@pytest.mark.parametrize("top", ["/", "/docker/abc"])
def test_version_1_has_a_folder_for_each_controller(tmp_path: Path, top: str) -> None:
    """Without a namespace of groups a container sees its own group mounted as the top."""
    files = {
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "250000\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GIB}\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{2 * GIB}\n",
        "sys/fs/cgroup/memory/memory.stat": f"cache 5\ntotal_inactive_file {GIB // 2}\n",
    }
    groups = "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/docker/abc\n"
    mounts = V1.format(n=2, name="cpu", top=top) + V1.format(n=4, name="memory", top=top)
    root = system(tmp_path, groups, mounts, files)
    assert cpu_cores(root, allowed=16) == 3
    assert memory(root, MACHINE) == Memory(2 * GIB, GIB // 2)


def test_no_limit_is_the_machine(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "5\n",
    }
    mounts = V1.format(n=2, name="cpu", top="/") + V1.format(n=4, name="memory", top="/")
    limited = system(tmp_path / "a", "4:memory:/\n2:cpu:/\n", mounts, files)
    for root in (limited, tmp_path / "nothing"):
        assert cpu_cores(root, allowed=5) == 5
        assert memory(root, MACHINE) == MACHINE


def test_torch_computes_with_no_more_threads_than_there_are_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    from tui_latent.training import device

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        monkeypatch.setattr(device, "cpu_cores", lambda: 2)
        device.limit_threads()
        assert torch.get_num_threads() == 2
        monkeypatch.setattr(device, "cpu_cores", lambda: 8)
        device.limit_threads()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_what_runs_out_of_memory_is_told_of_the_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui_latent.runtime import hardware

    monkeypatch.setattr(hardware, "memory", lambda: Memory(2 * GIB, GIB))
    assert "1.0 of 2.0 GiB free" in hardware.devices()[-1].describe()
