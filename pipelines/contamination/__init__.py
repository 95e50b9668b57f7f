"""Decontamination: which evaluation items, question and answer, are in which documents.

`items` reads them, `index` keeps the n-grams of their words, `scan` puts together what `matches`,
`scores` and `coverage` find of these in documents, and `tables` is what is stored of it.
"""
