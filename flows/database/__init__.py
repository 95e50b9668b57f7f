"""RUN/assay.duckdb: how it is built, and how it is asked."""
