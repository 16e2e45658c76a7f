"""Arrays on a grid: sampling, distances, surfaces, registration."""
