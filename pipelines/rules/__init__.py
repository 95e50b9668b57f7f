"""Rules that judge documents; `pipelines.rules.registry` lists them."""
