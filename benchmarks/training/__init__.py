"""What training costs: a step against a plain loop, the loader, the chunked loss."""
