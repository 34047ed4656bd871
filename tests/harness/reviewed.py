"""Compares the policies of a snapshot with `policies/` in the generated tree: what was reviewed is what is applied."""
import json


def differences(snapshot, tree):
    found = []
    for path in sorted((tree / "policies").glob("*.json")):
        bucket = snapshot["buckets"].get(path.stem)
        if bucket is None or bucket["policy"] != json.loads(path.read_text()):
            found.append(f"{path.stem}: its policy is not policies/{path.name}")
    return found
