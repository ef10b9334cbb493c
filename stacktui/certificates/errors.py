"""What can go wrong about certificates. Apart, since the command line must know it at once."""

from __future__ import annotations

from stacktui.text.sanitize import visible


class CertificateError(Exception):
    """Something about certificates that cannot be done as asked; `str()` is one safe line.

    CertificateError
     ├── files.CertificateFileError   a file that holds no certificates, or cannot be read
     ├── bundle.BundleError           a bundle that cannot be changed as asked
     └── key_bundle.KeyBundleError    a PFX or PEM that cannot be converted
    """

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))
