"""Where two outcomes of a case differ."""

import json


def plain(outcome, otherwise, app):
    """An outcome without what otherwise.json lets differ everywhere, header fields in the order of their names."""

    def ignored(kind):
        known = (otherwise or {}).get(kind, {})
        return {**known.get("*", {}), **known.get(app, {})}

    outcome = json.loads(json.dumps(outcome))
    for answer in outcome.get("answers", []):
        fields = [field for field in answer.get("headers", []) if field[0] not in ignored("headers")]
        if "headers" in answer:
            answer["headers"] = sorted(fields, key=lambda field: field[0])
        if isinstance(answer.get("saw"), dict):
            for name in ignored("members"):
                answer["saw"].pop(name, None)
    for note in outcome.get("seen", []):
        if isinstance(note, dict):
            for name in ignored("members"):
                note.pop(name, None)
    return outcome


def differences(given, recorded, otherwise, app):
    """Lines that say what was given instead of what is on record."""
    found = []

    def compare(place, given, recorded):
        if isinstance(given, dict) and isinstance(recorded, dict):
            for name in sorted(given.keys() | recorded.keys()):
                compare(f"{place}.{name}", given.get(name), recorded.get(name))
        elif isinstance(given, list) and isinstance(recorded, list) and len(given) == len(recorded):
            for at, pair in enumerate(zip(given, recorded)):
                compare(f"{place}[{at}]", *pair)
        elif given != recorded or type(given) is not type(recorded):
            found.append(f"{place.lstrip('.')}: {json.dumps(recorded)[:600]} became {json.dumps(given)[:600]}")

    compare("", plain(given, otherwise, app), plain(recorded, otherwise, app))
    return found


def write(path, otherwise):
    """Writes what is done otherwise, with a line for each case, so that differences can be read."""
    head = json.dumps({name: item for name, item in otherwise.items() if name != "cases"}, indent=2, ensure_ascii=False)
    lines = ",\n".join("    " + json.dumps(item, sort_keys=True) for item in otherwise["cases"])
    path.write_text(head[:-2] + ',\n  "cases": [\n' + lines + "\n  ]\n}\n")
