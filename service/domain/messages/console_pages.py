"""Pages of the Claude Console for whoever stops spend or makes a key (its documentation: "Get your API key")."""

from collections.abc import Mapping

API_KEYS = "https://platform.claude.com/settings/keys"
ADMIN_KEYS = "https://platform.claude.com/settings/admin-keys"

NAMES: Mapping[str, str] = {API_KEYS: "API keys in the Console", ADMIN_KEYS: "Admin keys in the Console"}
