"""One module for each command; heavy imports live inside the functions."""
