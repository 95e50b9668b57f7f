"""The ground floor: data contracts and the pure mathematics of signals and policies.

Imports NumPy and PyArrow and nothing heavier. Arrays in, arrays out.
"""
