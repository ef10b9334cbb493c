"""The product's errors that a user is told in one line, as one tree. Light to import.

    StacktuiError                     `str()` is one harmless line that may be shown
     ├── ConfigError                  the config cannot be used
     ├── AcceptError                  a stamp cannot be recorded anew
     └── CertificateError             certificates cannot be handled as asked
          ├── CertificateFileError    a file holds no certificates, or cannot be read
          ├── BundleError             a bundle cannot be changed as asked
          └── ConversionError         a PFX or PEM file cannot be converted

Each is defined where it is raised.
"""

from __future__ import annotations

from stacktui.text.sanitize import visible


class StacktuiError(Exception):
    """Base of every error that the product raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))
