"""Benchmarks: each prints a table and the command that made it. Arms are interleaved."""
