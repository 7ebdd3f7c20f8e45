"""Rearranging, joining, reading and writing of elements, without arithmetic."""
