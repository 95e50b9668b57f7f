"""Readers of corpus formats; `pipelines.readers.registry` lists them."""
