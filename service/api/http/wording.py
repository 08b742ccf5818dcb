"""Errors of a request in our words, which say what to send instead, in place of the validating library's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Facts = Mapping[str, Any]
"""The library's facts about an error: `max_length`, `pattern`, `expected`, and so on."""

NO_OBJECT = frozenset({"missing", "dict_type", "model_type", "model_attributes_type"})
"""Kinds of error that mean, where they are of the whole body, that it is no object or that there is none."""
NO_BODY = "send a JSON object, with Content-Type: application/json"

_ATTRIBUTED = r"owner|tag:[A-Za-z_][A-Za-z0-9_./-]{0,62}"
_LETTERS = "up to {} letters, digits, - and _"
PATTERNS: Mapping[str, str] = {
    r"^[^\x00-\x1f\x7f]*$": "one line of text, without line breaks, tabs and other control characters",
    r"^[^\x00-\x1f\x7f]+$": "one line of text, without line breaks, tabs and other control characters",
    r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$": "text without control characters; line breaks and tabs may be",
    r"^[A-Za-z_][A-Za-z0-9_./-]{0,62}$": "a label: a letter or _, then up to 62 letters, digits, _, ., / or -",
    r"^(\.\.\.|[A-Za-z_][A-Za-z0-9_./-]{0,62})$": "a label: a letter or _, then up to 62 letters, digits, _, ., / or -",
    r"^https?://[!-~]+$": "an address such as https://example.com, without spaces",
    r'^[^\x00-\x20\x7f@<>(),;:"\\\[\]]{1,64}@[A-Za-z0-9.-]{1,253}$': "a mail address such as ann@example.com",
    r"^[0-9]{1,11}(\.[0-9]{1,12})?$": 'US dollars as a decimal string, such as "5000.00": at most 11 digits before the'
    " point and 12 behind it",
    r"^[UW][A-Z0-9]{1,30}$": "a Slack member ID such as U012AB3CD",
    r"^(org|(workspace|model|api_key|actor|product):[^\x00-\x1f\x7f]{1,200})$": "org, or workspace:, model:, api_key:,"
    " actor: or product: and an id or a name, such as workspace:eng",
    rf"^(workspace|model|api_key|actor|product|{_ATTRIBUTED})$": "workspace, model, api_key, actor, product, owner, or"
    " a tag such as tag:team",
    "^(workspace|model|api_key|actor|product|cost_type|token_type|service_tier|context_window|inference_geo|caller|"
    rf"{_ATTRIBUTED})$": "workspace, model, api_key, actor, product, cost_type, token_type, service_tier,"
    " context_window, inference_geo, caller, owner, or a tag such as tag:team",
    r"^(workspace|api_key|actor):[^\x00-\x1f\x7f]{1,200}$": "workspace:, api_key: or actor: and an id or a name,"
    " such as workspace:eng",
    r"^[!-~]{1,255}$": "1 to 255 printable ASCII characters without spaces",
    r"^[A-Za-z0-9_-]{1,100}$": "an id: " + _LETTERS.format(100),
    r"^[A-Za-z0-9_-]{1,500}$": "the `next` of an earlier answer, as it was",
    r"^[A-Za-z0-9_.-]{1,200}$": "the end of a link, as it was",
}
"""The meaning of each pattern of the API."""


def _counted(number: object, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_WORDS: Mapping[str, Callable[[Facts], str]] = {
    "extra_forbidden": lambda facts: "unknown field",
    "missing": lambda facts: "required",
    "dict_type": lambda facts: "send an object: {...}",
    "model_type": lambda facts: "send an object: {...}",
    "model_attributes_type": lambda facts: "send an object: {...}",
    "list_type": lambda facts: "send a list: [...]",
    "string_type": lambda facts: "send text, in quotation marks",
    "string_unicode": lambda facts: "this is not Unicode text",
    "bool_type": lambda facts: "send true or false",
    "bool_parsing": lambda facts: "send true or false",
    "int_type": lambda facts: "send a whole number",
    "int_parsing": lambda facts: "send a whole number",
    "int_parsing_size": lambda facts: "too large",
    "int_from_float": lambda facts: "send a whole number",
    "float_type": lambda facts: "send a number",
    "float_parsing": lambda facts: "send a number",
    "decimal_type": lambda facts: "send a number",
    "decimal_parsing": lambda facts: "send a number",
    "finite_number": lambda facts: "send a number that is finite",
    "greater_than": lambda facts: f"must be more than {facts['gt']}",
    "greater_than_equal": lambda facts: f"must be {facts['ge']} or more",
    "less_than": lambda facts: f"must be less than {facts['lt']}",
    "less_than_equal": lambda facts: f"must be {facts['le']} or less",
    "decimal_max_digits": lambda facts: f"at most {_counted(facts['max_digits'], 'digit')}",
    "decimal_max_places": lambda facts: f"at most {_counted(facts['decimal_places'], 'digit')} behind the point",
    "decimal_whole_digits": lambda facts: f"at most {_counted(facts['whole_digits'], 'digit')} before the point",
    "string_too_short": lambda facts: f"at least {_counted(facts['min_length'], 'character')}",
    "string_too_long": lambda facts: f"at most {_counted(facts['max_length'], 'character')}",
    "too_short": lambda facts: f"at least {_counted(facts['min_length'], 'item')}",
    "too_long": lambda facts: f"at most {_counted(facts['max_length'], 'item')}",
    "string_pattern_mismatch": lambda facts: f"write {PATTERNS.get(facts['pattern'], 'it as the schema says')}",
    "enum": lambda facts: f"must be {facts['expected']}",
    "literal_error": lambda facts: f"must be {facts['expected']}",
    "union_tag_not_found": lambda facts: f"needs {facts['discriminator']}, which says what it is",
    "union_tag_invalid": lambda facts: f"{facts['discriminator']} must be one of {facts['expected_tags']}",
}


def in_words(kind: str, message: str, facts: Facts) -> str:
    """Returns an error in our words; the library's `message` where that holds ours already."""
    words = _WORDS.get(kind)
    return words(facts) if words else message.removeprefix("Value error, ")
