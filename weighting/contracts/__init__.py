"""The data contracts: schemas of what a run writes, with readers and writers that check them."""
