"""What `rules.beside` takes from here."""

from stacktui.diagnosis.interceptors import interceptor as interceptor
