"""Any JSON object, as a member of a shape."""

from typing import Any

JsonObject = dict[str, Any]
"""`Any`, since msgspec has no schema for `object`."""
