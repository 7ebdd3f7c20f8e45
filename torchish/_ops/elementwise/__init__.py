"""Element by element, on broadcast operands: arithmetic, functions, comparisons, conversions."""
