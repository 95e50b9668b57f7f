"""What trained models say of the tokens of any documents."""
