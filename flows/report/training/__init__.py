"""What training with and without the weights showed."""
