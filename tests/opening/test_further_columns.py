"""Columns of opened files beyond ids and labels are those of the points of the map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_latent.analysis.point_columns import columns_of_points
from tui_latent.opening import plan
from tui_latent.opening.plan import Asked, make_plan
from tui_latent.opening.run_folder import Made, make_run
from tui_latent.runs.map_store import MapFolder

COUNT = 40
VECTORS = np.random.default_rng(0).normal(size=(COUNT, 3)).round(4)
SITES = [f"site {i % 3}" if i % 7 else "" for i in range(COUNT)]
AGES = [None if i == 4 else i + 0.5 for i in range(COUNT)]


def opened(runs: Path, *files: Path, **asked: Any) -> Made:
    found = make_plan(Asked(tuple(map(str, files)), **asked), lambda _: None)
    return make_run(found, runs, "opened", None, "tui-latent open", lambda _: None)


def shown(run: Path) -> dict[str, list[str]]:
    """Return the texts of each column by the vectors on the map."""
    _, newest = MapFolder(run).refresh(None)
    assert newest is not None
    columns = columns_of_points(run, newest.map)
    return {c.name: [c.text(row) for row in range(len(c))] for c in columns}


def as_csv(folder: Path) -> Path:
    lines = ["id,species,site,a,b,c"]
    for row, (a, b, c) in enumerate(VECTORS.tolist()):
        lines.append(f"r{row},{'ab'[row % 2]},{SITES[row]},{a},{b},{c}")
    path = folder / "v.csv"
    path.write_text("\n".join(lines))
    return path


def as_parquet(folder: Path) -> Path:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = {
        "id": [f"r{row}" for row in range(COUNT)],
        "species": ["ab"[row % 2] for row in range(COUNT)],
        "embedding": VECTORS.tolist(),
        "site": SITES,
        "age": AGES,
        "tags": [["x"]] * COUNT,
    }
    pq.write_table(pa.table(table), folder / "v.parquet")
    return folder / "v.parquet"


def as_npz(folder: Path) -> Path:
    ages = np.array([np.nan if age is None else age for age in AGES])
    np.savez(folder / "v.npz", embeddings=VECTORS, site=np.array(SITES), age=ages)
    return folder / "v.npz"


@pytest.mark.parametrize("write", [as_csv, as_parquet, as_npz], ids=["csv", "parquet", "npz"])
def test_columns_are_those_of_the_points(tmp_path: Path, write: Any) -> None:
    labels = None if write is as_npz else "species"
    made = opened(tmp_path / "runs", write(tmp_path), labels=labels)
    found = shown(made.path)
    assert found["site"] == SITES
    if write is not as_csv:
        assert found["age"] == ["" if age is None else str(age) for age in AGES]
    assert "species" not in found and "id" not in found and "tags" not in found


def test_columns_follow_the_rows_that_are_left_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MOST_ON_MAP", 10)
    vectors = VECTORS.copy()
    vectors[5] = np.nan
    np.savez(tmp_path / "v.npz", embeddings=vectors, place=np.arange(COUNT) * 10)
    made = opened(tmp_path / "runs", tmp_path / "v.npz")
    places = [int(text) for text in shown(made.path)["place"]]
    assert len(places) == 10 and 50 not in places
    _, newest = MapFolder(made.path).refresh(None)
    assert newest is not None
    from tui_latent.runs.row_ids import read_row_ids

    rows = read_row_ids(made.path)["val"].rows
    assert places == (rows * 10).tolist()


def test_what_is_kept_and_what_is_not_is_said(tmp_path: Path) -> None:
    found = make_plan(Asked((str(as_parquet(tmp_path)),), labels="species"), lambda _: None)
    assert "columns site, age: the map can be coloured and filtered by them" in found.told
    assert any(words.startswith("not used: column tags") for words in found.told)
