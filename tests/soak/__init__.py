"""Soak tests: each takes minutes to hours, so `make test` leaves them out."""
