"""The operator's settings, the place of the data, and the secrets. Nothing else reads the environment."""

from adapters.settings.read_environment import environment_of_child, ignored_names, read_provider_keys, read_settings
from adapters.settings.settings import Settings

__all__ = ["Settings", "environment_of_child", "ignored_names", "read_provider_keys", "read_settings"]
