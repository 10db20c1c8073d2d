# SPDX-License-Identifier: GPL-2.0
# coverage.py [-l] FOLDER: sums up what `gcov --json-format` prints, for each source
# file in FOLDER: lines run, functions that never were, and with -l the lines that
# never were.
import json
import os
import sys

folder = os.path.realpath(sys.argv[-1])
counts = {}     # file: {line: how often}
functions = {}  # file: {function: how often}

for document in sys.stdin:
    data = json.loads(document)
    for source in data["files"]:
        path = os.path.join(data["current_working_directory"], source["file"])
        name = os.path.relpath(os.path.realpath(path), folder)
        # What is included from elsewhere, or generated.
        if name.startswith("..") or name.endswith((".mod.c", "trace.h")):
            continue
        lines = counts.setdefault(name, {})
        for line in source["lines"]:
            number = line["line_number"]
            lines[number] = lines.get(number, 0) + line["count"]
        calls = functions.setdefault(name, {})
        for function in source["functions"]:
            key = function["name"]
            calls[key] = calls.get(key, 0) + function["execution_count"]

total = run = 0
print(f"{'file':<24} {'lines':>6} {'run':>6}")
for name in sorted(counts):
    lines = counts[name]
    if not lines:
        continue
    done = sum(1 for count in lines.values() if count)
    total += len(lines)
    run += done
    never = sorted(f for f, count in functions[name].items() if not count)
    print(f"{name:<24} {len(lines):>6} {100 * done / len(lines):>5.1f}%"
          + ("  never called: " + " ".join(never) if never else ""))
    if "-l" in sys.argv:
        print("    " + " ".join(str(n) for n in sorted(lines) if not lines[n]))
print(f"{'all':<24} {total:>6} {100 * run / total:>5.1f}%")
