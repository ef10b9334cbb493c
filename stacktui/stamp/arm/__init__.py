"""Azure Resource Manager of the stamp (PROTOCOL.md sections 3 and 4)."""
