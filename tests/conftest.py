"""What every test gets: its own folder of runs, and a terminal that promises nothing."""

from __future__ import annotations

import gc
import os

# Before numpy and torch: the tensors are small, and two workers' threads would only spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Nobody's own settings and views, which commands would read and the dashboard would change. There
# is no such file, which is no problem to tell of, and not even root can make it.
os.environ["TUI_LATENT_CONFIG"] = "/proc/none/config.toml"
os.environ["TUI_LATENT_CACHE"] = os.devnull + "/cache"

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("tui-latent", deadline=None, max_examples=50)
settings.load_profile("tui-latent")

SLOW = (
    "analysis/test_command.py",
    "analysis/test_evaluate.py",
    "analysis/test_evaluation_inputs.py",
    "analysis/test_foreign_runs.py",
    "analysis/test_inspector.py",
    "analysis/test_outliers.py",
    "benchmarks/test_gpu_all.py",
    "benchmarks/test_speedrun.py",
    "cli/test_open.py",
    "config/test_effects.py",
    "datasets/test_published_features.py",
    "datasets/test_shared_files.py",
    "experiments/test_findings.py",
    "experiments/test_maps.py",
    "integrations/test_lightning.py",
    "integrations/test_transformers.py",
    "launch/test_background.py",
    "launch/test_extend.py",
    "launch/test_foreign.py",
    "launch/test_fork.py",
    "launch/test_label.py",
    "launch/test_plugin_check.py",
    "launch/test_progress.py",
    "launch/test_retry.py",
    "launch/test_start.py",
    "launch/test_sweep.py",
    "launch/test_sweep_engines.py",
    "methods/test_added_method.py",
    "methods/test_methods.py",
    "metrics/test_knn_pruning.py",
    "metrics/test_linear_probe.py",
    "metrics/test_products.py",
    "plugins/test_installed.py",
    "plugins/test_plugin_runs.py",
    "reports/test_comparison_report.py",
    "reports/test_export.py",
    "reports/test_figure.py",
    "reports/test_foreign_reports.py",
    "reports/test_layouts.py",
    "runs/test_curve_cache.py",
    "runs/test_hostile_folders.py",
    "runs/test_own_folder.py",
    "runtime/test_array_files.py",
    "runtime/test_malloc.py",
    "runtime/test_openmp.py",
    "test_bundled_presets.py",
    "test_examples.py",
    "test_explain_command.py",
    "test_hostile_names.py",
    "test_import_hygiene.py",
    "test_old_runs.py",
    "test_terminal.py",
    "test_trained_on.py",
    "training/test_acceleration.py",
    "training/test_best_checkpoint.py",
    "training/test_checkpoint.py",
    "training/test_collapse.py",
    "training/test_evaluation_waits.py",
    "training/test_evaluator.py",
    "training/test_fake_cuda.py",
    "training/test_going_on.py",
    "training/test_graph_step.py",
    "training/test_live_settings.py",
    "training/test_loading.py",
    "training/test_random_states.py",
    "training/test_ranks.py",
    "training/test_residence.py",
    "training/test_retrying_writes.py",
    "training/test_run_events.py",
    "training/test_session.py",
    "training/test_without_labels.py",
    "tui/charts/test_line_chart_panel.py",
    "tui/charts/test_terminal_images.py",
    "tui/screens/dashboard/test_run_verdict.py",
    "tui/screens/dialogs/test_confirm.py",
    "tui/screens/dialogs/test_desk.py",
    "tui/screens/dialogs/test_failed_run.py",
    "tui/screens/dialogs/test_fork.py",
    "tui/screens/explorer/test_mouse_and_time.py",
    "tui/screens/menu/test_run_table.py",
    "tui/screens/test_compare.py",
    "tui/screens/test_dashboard.py",
    "tui/screens/test_evaluation.py",
    "tui/screens/test_explorer.py",
    "tui/screens/test_images.py",
    "tui/screens/test_menu.py",
    "tui/screens/test_runs_from_elsewhere.py",
    "tui/screens/test_settings.py",
    "tui/screens/test_sweep.py",
    "tui/test_app.py",
    "tui/test_collapse_alarm.py",
    "tui/test_dashboard_snapshots.py",
    "tui/test_elsewhere.py",
    "tui/test_hangup.py",
    "tui/test_inputs.py",
    "tui/test_resizing.py",
    "tui/test_sizes.py",
    "tui/test_terminal_driver.py",
    "tui/test_terminal_query.py",
    "tui/test_viewer_pages.py",
    "watching/test_ends.py",
    "watching/test_latents.py",
    "watching/test_records.py",
)
"""Files whose tests train, draw reports, start processes or drive whole screens. `make test-fast`
leaves them out, as it does each test marked `slow`, to take less than a minute on two idle cores.
"""

_TERMINAL = (
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "COLORTERM",
    "COLORFGBG",
    "LC_TERMINAL",
    "TERM_PROGRAM",
    "TUI_LATENT_IMAGES",
    "TMUX",
    "SSH_CONNECTION",
)


def _is_slow(file: Path) -> bool:
    folder = Path(__file__).parent
    return file.is_relative_to(folder) and file.relative_to(folder).as_posix() in SLOW


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out slow files before they import lightning, transformers and others."""
    return True if config.option.markexpr == "not slow" and _is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the slow files, and those that train a run to look at."""
    for item in items:
        if _is_slow(item.path) or "trained" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


def pytest_sessionstart() -> None:
    """Let the tests know nothing of the developer's terminal, which pytest has asked by now.

    Collect no garbage while tests are collected: that takes as long again, and finds none.
    """
    for name in _TERMINAL:
        os.environ.pop(name, None)
    gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage again, and only among what the tests make."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def own_folders(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Keep the developer's runs and presets out of the tests.

    A test that asks for no folder gets a name for one: to make it takes as long as most tests do.
    """
    if "tmp_path" in request.fixturenames:
        own = request.getfixturevalue("tmp_path")
    else:
        own = tmp_path_factory.getbasetemp() / "own" / f"{id(request.node)}"
    monkeypatch.setenv("TUI_LATENT_RUNS", str(own / "runs"))
    monkeypatch.setenv("TUI_LATENT_PRESETS", str(own / "own-presets"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what trains the run of a name in `trained_runs.PRESETS`, once."""
    from tests.trained_runs import train_named

    runs = tmp_path_factory.mktemp("trained")

    def train(name: str) -> Path:
        return runs / name if (runs / name).exists() else train_named(name, runs)

    return train


@pytest.fixture
def no_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the images away."""
    from tui_latent.sources.errors import DataError

    def gone(*_: object) -> None:
        raise DataError("digits are not in /data: mount it")

    monkeypatch.setattr("tui_latent.datasets.sources.load_dataset", gone)


@pytest.fixture(scope="session")
def mnist_data() -> Path:
    """Return the data folder with the real MNIST in it; skip the test where there is none."""
    folder = Path(os.environ.get("TUI_LATENT_DATA", ""))
    if not list((folder / "MNIST" / "raw").glob("train-images-idx3-ubyte*")):
        pytest.skip("no MNIST in $TUI_LATENT_DATA")
    return folder
