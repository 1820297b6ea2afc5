"""Train models of a low-dimensional latent space in the terminal, and watch the space form."""

__version__ = "0.2.0"
