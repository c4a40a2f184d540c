"""report.py - checks a JSON report against its schema, and a trace against the Trace Event Format.

    report.py json REPORT SCHEMA
    report.py trace TRACE

Prints what is wrong, a line each; status 1 if anything is.
"""

import collections
import json
import sys

# Documented phases that are used, and the fields that each must have besides ph, pid and tid.
PHASES = {
    "X": {"name", "cat", "ts", "dur", "args"},
    "M": {"name", "args"},
    "i": {"name", "cat", "ts", "s"},
    "C": {"name", "ts", "args"},
    "s": {"name", "cat", "ts", "id"},
    "f": {"name", "cat", "ts", "id", "bp"},
}
METADATA = {"process_name", "process_sort_index", "thread_name", "thread_sort_index"}


def check_json(report, schema):
    import jsonschema

    with open(schema, encoding="utf-8") as file:
        validator = jsonschema.Draft202012Validator(json.load(file))
    with open(report, encoding="utf-8") as file:
        document = json.load(file)
    return [f"{'/'.join(map(str, e.path))}: {e.message}" for e in validator.iter_errors(document)]


def nanoseconds(time):
    """Times are read as text, so that none is rounded: "12.345" microseconds."""
    whole, _, fraction = time.partition(".")
    if len(fraction) != 3:
        raise ValueError(f"expected three decimals in a time, found {time}")
    return int(whole) * 1000 + int(fraction)


def check_fields(index, event):
    phase = event.get("ph")
    if phase not in PHASES:
        return [f"event {index}: phase {phase!r} is not used here"]
    lacking = (PHASES[phase] | {"pid", "tid"}) - event.keys()
    wrong = [f"event {index} ({phase}): lacks {', '.join(sorted(lacking))}"] if lacking else []
    if phase == "M" and event.get("name") not in METADATA:
        wrong.append(f"event {index}: metadata {event.get('name')!r} is not documented")
    if phase == "C" and not all(v.lstrip("-").isdigit() for v in map(str, event["args"].values())):
        wrong.append(f"event {index}: a counter's values are numbers")
    return wrong


def check_nesting(slices):
    """Slices of one track lie inside one another or apart."""
    wrong = []
    for track, spans in slices.items():
        open_ends = []
        for start, minus_duration in sorted(spans):
            end = start - minus_duration
            while open_ends and open_ends[-1] <= start:
                open_ends.pop()
            if open_ends and end > open_ends[-1]:
                wrong.append(f"track {track}: a slice from {start} to {end} ends outside of another")
            open_ends.append(end)
    return wrong


def check_trace(path):
    with open(path, encoding="utf-8") as file:
        document = json.load(file, parse_float=str)
    wrong = [] if document.get("displayTimeUnit") in ("ns", "ms") else ["displayTimeUnit"]
    named = set()
    slices = collections.defaultdict(list)
    flows = collections.defaultdict(list)
    for index, event in enumerate(document["traceEvents"]):
        wrong += check_fields(index, event)
        if wrong:
            return wrong
        track = (event["pid"], event["tid"])
        if event["name"] == "thread_name":
            named.add(track)
        if event["ph"] in "Xisf" and track not in named:
            wrong.append(f"event {index}: its track {track} has no name")
        if event["ph"] == "X":
            slices[track].append((nanoseconds(event["ts"]), -nanoseconds(event["dur"])))
        if event["ph"] in "sf":
            flows[event["id"]].append((event["ph"], track, nanoseconds(event["ts"])))
    wrong += check_nesting(slices)
    for number, ends in flows.items():
        phases = [end[0] for end in ends]
        if phases != ["s", "f"] or ends[0][2] > ends[1][2]:
            wrong.append(f"flow {number}: expected a start, then an end; found {ends}")
        for _, track, time in ends:
            if not any(s <= time <= s - d for s, d in slices[track]):
                wrong.append(f"flow {number}: no slice at {time} on its track {track}")
    print(f"{len(document['traceEvents'])} events, {len(named)} tracks, {len(flows)} flows")
    return wrong


def main():
    problems = check_json(*sys.argv[2:4]) if sys.argv[1] == "json" else check_trace(sys.argv[2])
    for problem in problems[:20]:
        print(problem)
    sys.exit(1 if problems else 0)


main()
