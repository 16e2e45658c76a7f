"""The synthetic slab is a module beside the tests."""
