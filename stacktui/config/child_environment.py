"""The environment of programs that stacktui starts (`az`, `tmux`, an editor): without secrets."""

from __future__ import annotations

import os

# An allow list, as a config may give the variable of a secret any name: also LC_OPS, as sshd takes
# LC_* over. These say who runs the program, in which language, where its files are, which Python
# an `az` takes, and how it reaches the network.
_PASSED = frozenset(
    ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TERM", "TZ", "TMPDIR",
     "TMUX", "TMUX_PANE", "TMUX_TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "AZURE_CONFIG_DIR",
     "AZURE_EXTENSION_DIR", "PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE", "VIRTUAL_ENV",
     "CONDA_PREFIX", "PYENV_ROOT", "PYENV_VERSION", "ASDF_DIR", "ASDF_DATA_DIR",
     "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY",
     "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
     "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME",
     "XDG_CACHE_HOME", "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME", "XDG_DATA_DIRS", "XDG_DATA_HOME",
     "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
     # Windows, and Windows' az in WSL
     "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERNAME",
     "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
     "PROGRAMFILES", "PROGRAMFILES(X86)", "WSLENV", "WSL_DISTRO_NAME", "WSL_INTEROP")
)  # fmt: skip


def child_environment() -> dict[str, str]:
    """Return the variables of this process that a program needs which it starts."""
    return {name: value for name, value in os.environ.items() if name.upper() in _PASSED}
