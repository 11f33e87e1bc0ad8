"""Replaces what looks like a secret in answers, at any depth and in JSON bodies: values of members such as `password`,
numbers of payment cards, JSON Web Tokens, access keys of AWS. REDACT_KEYS adds names of members (`pin,iban`).
Stands outside of whatever makes answers (http-errors too), inside of request-log.
"""

import json
import os
import re

HIDDEN = "[redacted]"
NAMES = ["password", "passwd", "secret", "token$", "api[-_]?key", "private[-_]?key", "authorization"]
NAMES += [re.escape(name.strip()) for name in os.environ.get("REDACT_KEYS", "").split(",") if name.strip()]
SECRET_NAME = re.compile("|".join(NAMES), re.IGNORECASE)
TOKEN = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")


def after(response, context):
    return redacted(response)


def redacted(value):
    if isinstance(value, dict):
        return {
            name: HIDDEN if SECRET_NAME.search(name) and is_plain(inner) else redacted(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return redacted_text(value) if isinstance(value, str) else value


def is_plain(value):
    """Whether it may be a secret itself: not `"hasPassword": true`, and not `"secrets": {…}`, which is looked into."""
    return isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ""


def redacted_text(text):
    if text.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(text)
            clean = redacted(value)
            return text if clean == value else json.dumps(clean, ensure_ascii=False)
        except ValueError:
            pass
    return CARD.sub(lambda found: HIDDEN if is_card(found[0]) else found[0], TOKEN.sub(HIDDEN, text))


def is_card(text):
    """The check digit of Luhn tells cards from other long numbers."""
    digits = [int(digit) for digit in reversed(text) if digit.isdigit()]
    return sum(digits[::2] + [sum(divmod(digit * 2, 10)) for digit in digits[1::2]]) % 10 == 0
