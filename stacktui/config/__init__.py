"""The config file: where it is, how it is read, how it is changed without losing anything."""
