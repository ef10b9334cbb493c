"""The base of every error that a user is told in one line."""

from __future__ import annotations


class UserError(Exception):
    """What cannot be done as asked, for a reason to tell; `str()` is one line, safe to show.

    UserError
     ├── config.document.ConfigError            a config that cannot be used
     ├── certificates.errors.CertificateError   a certificate, bundle or store that does not serve
     └── check.accepting.AcceptError            a stamp that cannot be accepted as it is
    """
