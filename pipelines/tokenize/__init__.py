"""The tokenizer and tokenize stages: token ids, counts of types and of n-grams."""
