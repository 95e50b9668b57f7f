"""The curate stage: read, clean, remove copies, write documents and ledger."""
