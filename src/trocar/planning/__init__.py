"""Where each instrument goes."""
