"""A package without the module that is asked for."""
