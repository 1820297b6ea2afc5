"""`python -m tui_latent`."""

from tui_latent.cli.main import main

main()
