"""A table of your own with a row for each image: a text or Parquet file, or tar shards."""

from __future__ import annotations

from tui_latent.sources.base import Source, register

register(
    Source(
        name="manifest",
        heading="Your own table of images",
        needs_path=True,
        skips_corrupt=True,
        is_table=True,
    )
)
