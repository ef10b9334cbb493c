"""Real peers for the tests: certificates, listeners, web servers and proxies on loopback."""
