"""To come."""
from typing import Any
class Control:
    def record(self) -> dict[str, Any]: return {}
def page_controls(space: object) -> list[Control]: return []
