"""schema.py - compares what scenarios/schema.json and the loader say about files.

usage: schema.py PROGRAM, in the repository's root. It knows nothing of the messages: those stand
beside the files in tests/broken, and tests/test_loader_mistakes.c compares them.
"""

import json
import pathlib
import subprocess
import sys

import jsonschema

# Mistakes that no JSON Schema can express: what stands elsewhere in the file, in another file, or
# is gone once the text has been parsed.
BEYOND_A_SCHEMA = {
    "accounts-same-id",
    "config-duration-too-long",
    "expect-event-field-of-another-kind",
    "expect-event-label",
    "expect-order-label",
    "expect-sql-wrong",
    "expect-unknown-label",
    "label-later",
    "label-of-another-kind",
    "label-repeats",
    "label-twice",
    "label-unknown",
    "load-too-much",
    "load-trace-order",
    "matrix-too-big",
    "step-account-needed",
    "step-out-of-time-order",
    "top-duplicate-key",
    "upstream-latency-order",
    "upstream-trace-missing",
    "upstream-trace-wrong",
}


def without_comments(text):
    """The text with comments as spaces. A comment without an end stays, and is no JSON then."""
    kept, at = [], 0
    while at < len(text):
        end = at + 1
        if text[at] == '"':
            while end < len(text) and text[end] not in '"\n':
                end += 2 if text[end] == "\\" else 1
            end += 1
            kept.append(text[at:end])
        elif text.startswith("//", at):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
        elif text.startswith("/*", at) and "*/" in text[at + 2 :]:
            end = text.index("*/", at + 2) + 2
            kept.append(" " + "\n" * text.count("\n", at, end))
        else:
            kept.append(text[at])
        at = end
    return "".join(kept)


def first_mistake(validator, path):
    """What the schema says about a file, or None when it is right."""
    try:
        instance = json.loads(without_comments(path.read_text(encoding="utf-8")))
    except ValueError as mistake:
        return f"no JSON: {mistake}"
    mistake = jsonschema.exceptions.best_match(validator.iter_errors(instance))
    if mistake is None:
        return None
    place = "/".join(str(part) for part in mistake.absolute_path)
    return f"at /{place}: {mistake.message[:200]}"


def is_loaded(program, path):
    """Whether the loader takes a file, and all that it says."""
    done = subprocess.run([program, "check", str(path)], capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    if done.returncode not in (0, 2):
        sys.exit(f"{path}: expected status 0 or 2 of check, found {done.returncode}\n{said}")
    return done.returncode == 0, said


def main(program):
    schema_path = pathlib.Path("scenarios/schema.json")
    schema = json.loads(schema_path.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    failures = []

    def expect(holds, path, sentence):
        if not holds:
            failures.append(f"{path}: {sentence}")

    right = [p for p in sorted(pathlib.Path("scenarios").rglob("*.json")) if p != schema_path]
    right += sorted(pathlib.Path("tests/valid").glob("*.json"))
    for path in right:
        mistake = first_mistake(validator, path)
        loaded, said = is_loaded(program, path)
        expect(mistake is None, path, f"expected right for the schema, found {mistake}")
        expect(loaded, path, f"expected right for the loader, found:\n{said}")

    broken = sorted(pathlib.Path("tests/broken").glob("*.json"))
    for path in broken:
        mistake = first_mistake(validator, path)
        loaded, _ = is_loaded(program, path)
        expect(not loaded, path, "expected a mistake for the loader, found none")
        if path.stem in BEYOND_A_SCHEMA:
            expect(mistake is None, path, f"is named as beyond a schema, which finds {mistake}")
        else:
            expect(mistake is not None, path, "expected a mistake for the schema, found none")
    unknown = BEYOND_A_SCHEMA - {path.stem for path in broken}
    expect(not unknown, "schema.py", f"names files that tests/broken does not have: {unknown}")
    expect(len(broken) > 90, "tests/broken", f"expected more than 90 files, found {len(broken)}")

    for failure in failures:
        print(failure)
    print(f"{len(right)} right files and {len(broken)} broken ones: {len(failures)} disagreements")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
