"""What a training run is: the dataclasses, and their flat form."""
