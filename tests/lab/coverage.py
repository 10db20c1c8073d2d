# SPDX-License-Identifier: GPL-2.0
# coverage.py [-l]: sums up what `gcov --json-format` prints, by source file:
# lines run, functions that never were, and with -l the lines that never were.
import json
import os
import sys

counts = {}     # file: {line: how often}
functions = {}  # file: {function: how often}

for document in sys.stdin:
    for source in json.loads(document)["files"]:
        name = os.path.basename(source["file"])
        if os.path.isabs(source["file"]) and "/driver-" not in source["file"]:
            continue
        if name.endswith(".mod.c") or name == "trace.h":
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
print(f"{'file':<20} {'lines':>6} {'run':>6}")
for name in sorted(counts):
    lines = counts[name]
    if not lines:
        continue
    done = sum(1 for count in lines.values() if count)
    total += len(lines)
    run += done
    never = sorted(f for f, count in functions[name].items() if not count)
    print(f"{name:<20} {len(lines):>6} {100 * done / len(lines):>5.1f}%"
          + ("  never called: " + " ".join(never) if never else ""))
    if "-l" in sys.argv:
        print("    " + " ".join(str(n) for n in sorted(lines) if not lines[n]))
print(f"{'all':<20} {total:>6} {100 * run / total:>5.1f}%")
