"""Apache Beam jobs: curate, tokenize, score and weigh a corpus, and verify the run.

Rules, hashing and tokenizing are plain functions in modules that do not import Beam. The graphs,
one `job.py` for each of the four Beam stages, only pass units on and call them.
"""
