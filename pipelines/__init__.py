"""Apache Beam jobs: read, clean, dedupe, tokenize, score, weigh, write.

Rules, hashing and tokenizing are plain functions in modules that do not import Beam; the graphs
in `pipelines.curate.job` and `pipelines.weigh.job` only cut units, route and call them.
"""
