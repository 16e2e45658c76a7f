"""What the lesion is: size, compartments, breach, neighbors, scores."""
