"""The rules, a module a layer, each a small function that explains one fault of FAULTS.md."""
