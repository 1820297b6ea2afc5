"""What takes part in the race: a file each, with a function `train`."""
