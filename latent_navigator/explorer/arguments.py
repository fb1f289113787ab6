"""Checks of the values that the page and the API pass in: a valid value, or a sentence."""

from typing import TypeGuard


def number(name: str, value: object, low: float, high: float) -> float:
    """`value` as a float.

    Raises:
        ValueError: if it is not a finite number in [low, high]; booleans and text are not numbers.
    """
    if _is_number(value) and low <= value <= high:
        return float(value)
    raise ValueError(f"{name} is {value!r:.40}; give a number from {low:g} to {high:g}")


def whole_number(name: str, value: object, low: int, high: int) -> int:
    """`value` as an int; a float without a fraction counts, since JSON has no other numbers.

    Raises:
        ValueError: if it is not a whole number in low ... high.
    """
    if _is_number(value) and low <= value <= high and value == int(value):
        return int(value)
    raise ValueError(f"{name} is {value!r:.40}; give a whole number from {low} to {high}")


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    """`value`, if it is one of `choices`.

    Raises:
        ValueError: if it is not.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} is {value!r:.40}; give one of {', '.join(choices)}")
    return value
