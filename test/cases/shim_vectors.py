"""Answers for the tests what the shim makes of values and streams: a JSON line for each JSON line."""

import base64
import json
import sys


def load(path):
    """The functions of the shim; `main` is not called."""
    with open(path, encoding="utf-8") as file:
        source = file.read()
    names = {"__name__": "shim"}
    exec(compile(source, path, "exec"), names)
    return names


def needles(shim, case):
    """The forms of a value."""
    value = base64.b64decode(case["value"])
    return [
        [
            needle.form,
            needle.strong,
            base64.b64encode(needle.bytes).decode(),
            needle.before,
            needle.after,
        ]
        for needle in shim["needles_of"](value, case["name"])
    ]


def is_plain(shim, case):
    """Whether a value is too short or common."""
    return shim["is_plain"](base64.b64decode(case["value"]))


def is_credential_name(shim, case):
    """Whether a name is a credential's."""
    return shim["is_credential_name"](case["name"], *case["credentials"])


FINDERS = {}


def finder_of(shim, secrets):
    """Looks for all of them; made once, since that takes longer than most streams."""
    key = json.dumps(secrets)
    if key not in FINDERS:
        FINDERS[key] = shim["Finder"](
            [
                needle
                for name, value in secrets
                for needle in shim["needles_of"](base64.b64decode(value), name)
            ]
        )
    return FINDERS[key]


def masked(shim, case):
    """What becomes of a stream that comes in pieces; a pause is tried after each of `pauses`."""
    found = []
    finder = finder_of(shim, case["secrets"])
    scanner = shim["Scanner"](finder, lambda needle: found.append([needle.name, needle.form]))
    data = base64.b64decode(case["input"])
    output, shown, start = b"", [], 0
    for number, cut in enumerate(case["cuts"] + [len(data)]):
        if cut > start:
            output += scanner.push(data[start:cut])
            start = cut
        if number in case.get("pauses", []):
            before = len(output)
            output += scanner.pause()
            shown.append(len(output) - before)
    output += scanner.end()
    return {"output": base64.b64encode(output).decode(), "found": found, "shown": shown}


def main():
    """Reads cases until there are no more."""
    shim = load(sys.argv[1])
    kinds = {
        "needles": needles,
        "is_plain": is_plain,
        "is_credential_name": is_credential_name,
        "masked": masked,
    }
    for line in sys.stdin:
        case = json.loads(line)
        print(json.dumps(kinds[case["kind"]](shim, case)))


main()
