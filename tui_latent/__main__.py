"""`python -m tui_latent`."""

from tui_latent.cli import main

main()
