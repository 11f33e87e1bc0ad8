"""What sweeps have found, as it is committed: sums and failing tests by reason in a data file, a table in a page."""

import collections
import json
import re


def write(path, head, sums, failing):
    """Writes what describes the sweep (`head`), numbers by module (`sums`) and the reason of each failing test."""
    tests_of = collections.defaultdict(list)
    for test, reason in sorted(failing.items()):
        tests_of[reason].append(test)
    ordered = sorted(tests_of.items(), key=lambda item: (-len(item[1]), item[0]))
    members = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    members += [f' "{name}": {block(items)}' for name, items in (("modules", sums.items()), ("failing", ordered))]
    path.write_text("{\n" + ",\n".join(members) + "\n}\n")


def block(items):
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in items) + "\n }"


def failing(path):
    """The failing tests on record, with their reasons."""
    if not path.exists():
        return {}
    return {test: reason for reason, tests in json.loads(path.read_text())["failing"].items() for test in tests}


def tell_differences(recorded, found, ran):
    """Says what fails and is not on record, and what is on record and passes; whether there is something of the first kind."""
    worse = sorted(set(found) - set(recorded))
    better = sorted(test for test in recorded if test in ran and test not in found)
    for test in worse:
        print(f"fails, and is not on record: {test}: {found[test]}")
    for test in better:
        print(f"passes, and is on record as failing: {test}")
    return bool(worse)


def render(page, mark, lines):
    """Puts lines into a page, in the place of those between two marks."""
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    text = page.read_text()
    pattern = f"(?s){re.escape(begin)}.*{re.escape(end)}"
    assert re.search(pattern, text), f"{page} has no {begin}"
    page.write_text(re.sub(pattern, lambda _: "\n".join([begin, *lines, end]), text))


def most(reasons, shown=4):
    """The most frequent of some reasons, each with its number."""
    counted = collections.Counter(reasons)
    said = [f"{reason} ({number})" for reason, number in counted.most_common(shown)]
    rest = sum(counted.values()) - sum(number for _, number in counted.most_common(shown))
    return "; ".join(said + ([f"others ({rest})"] if rest else []))
