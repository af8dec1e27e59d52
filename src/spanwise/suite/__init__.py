"""Many students of one teacher: a grid of methods, sizes, seeds and amounts of data, run as one queue."""
