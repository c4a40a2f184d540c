"""manifest.py - holds a Kubernetes manifest against the types of the API, and writes what its pods do.

usage: manifest.py MANIFEST FOLDER. The types are those of Debian's python3-kubernetes, which are made
from the API's OpenAPI description: names, types, what is required and which values are allowed. The
command of the pods goes to FOLDER/pod.sh, with FOLDER/pods in the place of their volume.
"""

import pathlib
import re
import sys

import kubernetes.client
import yaml

SIMPLE = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def problems_of(value, kind, place):
    """What in `value` does not fit the type `kind` of the API, one sentence each."""
    listed = re.fullmatch(r"list\[(.*)\]", kind)
    mapped = re.fullmatch(r"dict\(str, (.*)\)", kind)
    if listed or mapped:
        if not isinstance(value, list if listed else dict):
            return [f"{place}: expected {kind}; found {value!r}"]
        parts = enumerate(value) if listed else value.items()
        inner = (listed or mapped).group(1)
        return [text for key, part in parts for text in problems_of(part, inner, f"{place}.{key}")]
    if kind in SIMPLE or not hasattr(kubernetes.client, kind):
        expected = SIMPLE.get(kind, object)
        is_flag = isinstance(value, bool) and kind != "bool"
        if is_flag or not isinstance(value, expected):
            return [f"{place}: expected {kind}; found {value!r}"]
        return []
    if not isinstance(value, dict):
        return [f"{place}: expected {kind}; found {value!r}"]
    model = getattr(kubernetes.client, kind)
    names = {outside: inside for inside, outside in model.attribute_map.items()}
    found = [f"{place}.{key}: {kind} has no such member" for key in value if key not in names]
    for key in value.keys() & names.keys():
        found += problems_of(value[key], model.openapi_types[names[key]], f"{place}.{key}")
    try:
        model(**{names[key]: part for key, part in value.items() if key in names})
    except ValueError as error:
        found.append(f"{place}: {error}")
    return found


def main():
    path, folder = pathlib.Path(sys.argv[1]), sys.argv[2]
    job = yaml.safe_load(path.read_text(encoding="utf-8"))
    problems = problems_of(job, "V1Job", path.name)
    spec = job["spec"]
    container = spec["template"]["spec"]["containers"][0]
    variables = {variable["name"]: variable.get("value") for variable in container["env"]}
    if (job["apiVersion"], job["kind"]) != ("batch/v1", "Job"):
        problems.append("expected a Job of batch/v1")
    if spec.get("completionMode") != "Indexed":
        problems.append(f"expected completionMode Indexed; found {spec.get('completionMode')}")
    if variables.get("JOB_COMPLETIONS") != str(spec["completions"]):
        problems.append(f"expected JOB_COMPLETIONS {spec['completions']}; found {variables}")
    script = container["args"][0].replace("/shards/", f"{folder}/pods/")
    script = script.replace("build/poolproof", '"$POOLPROOF"').replace("--runs 100000", "--runs 3")
    pathlib.Path(folder, "pod.sh").write_text(script, encoding="utf-8")
    for problem in problems:
        print(f"FAIL: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
