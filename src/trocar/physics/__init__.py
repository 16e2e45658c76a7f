"""The mathematics: arrays in and out, SI units, no anatomy."""
