"""Files of numbers and arrays for the page; web/core/packed.js reads them."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

ALIGNMENT = 8  # bytes; typed arrays of JavaScript start at multiples of their numbers' size
TYPES = ("uint8", "int16", "uint32", "float32")


def pack(content: Mapping[str, Any]) -> bytes:
    """A file: the length of a header (uint32, little-endian), the header in JSON, the arrays.

    Args:
        content: by name, values for JSON, and arrays of one of TYPES, which the page gets flat.

    Raises:
        ValueError: if an array is of another type.
    """
    values: dict[str, Any] = {}
    arrays: list[dict[str, Any]] = []
    body = bytearray()
    for name, value in content.items():
        if not isinstance(value, np.ndarray):
            values[name] = value
            continue
        if value.dtype.name not in TYPES:
            raise ValueError(f"{name} is of type {value.dtype}; give one of {', '.join(TYPES)}")
        body += bytes(-len(body) % ALIGNMENT)
        arrays.append(
            {
                "name": name,
                "type": value.dtype.name,
                "offset": len(body),
                "length": value.size,
            }
        )
        body += value.astype(value.dtype.newbyteorder("<")).tobytes()
    header = json.dumps({"values": values, "arrays": arrays}).encode()
    start = len(header).to_bytes(4, "little") + header
    return start + bytes(-len(start) % ALIGNMENT) + bytes(body)
