"""Products, decompositions, equations, norms and functions of matrices."""
