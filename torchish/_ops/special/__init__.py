"""Bessel functions, orthogonal polynomials, zeta and incomplete gamma functions, with their tables."""
