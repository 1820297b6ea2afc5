"""What the presets reach, beside what was published: one command per module, as in `benchmarks`."""
