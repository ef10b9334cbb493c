"""What the Resource Manager keeps: groups, resources, roles, operations."""
