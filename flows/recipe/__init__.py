"""Recipes: their schema, where they come from, what is wrong with one."""
