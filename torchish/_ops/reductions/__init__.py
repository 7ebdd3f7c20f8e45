"""Along dimensions: sums and extrema, running reductions, sorting, counting, statistics."""
