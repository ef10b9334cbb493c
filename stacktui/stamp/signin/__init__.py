"""Sign-in as Entra ID and as AD FS (PROTOCOL.md section 2)."""
