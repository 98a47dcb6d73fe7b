"""Folds a log exported as JSON lines into the final state of each case.

usage: fold.py export.jsonl     (`-` reads standard input; make the file with `actum export --format jsonl -O export.jsonl`)

Prints one JSON object per case, in the order in which they began: {"case", "key", "status", "variables"}.
"""
import json
import sys

STATUS = {
    "CaseStarted": "open",
    "CaseCompleted": "completed",
    "CaseCancelled": "cancelled",
    "CaseDeadlocked": "deadlocked",
    "CaseFailed": "failed",
}

if len(sys.argv) != 2:
    sys.exit(__doc__)
lines = sys.stdin if sys.argv[1] == "-" else open(sys.argv[1], encoding="utf-8")
cases = {}
for line in lines:
    event = json.loads(line)
    if event["case"] is None:
        continue
    case = cases.setdefault(event["case"], {"case": event["case"], "key": None, "status": None, "variables": {}})
    case["key"] = event.get("key", case["key"])
    case["status"] = STATUS.get(event["kind"], case["status"])
    case["variables"].update(event.get("variables", {}))
for case in cases.values():
    print(json.dumps(case, ensure_ascii=False))
