#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads the #include lines of the product and fails on an arrow that points up (docs/design.md)."""
import os
import re
import sys

# bottom to top: a layer includes include/, itself and what stands left of it
LAYERS = ["core", "net", "tcp", "proxy", "tls", "ws", "sip", "token", "identity", "gateway"]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def includes(path):
    with open(path, encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            found = INCLUDE.match(line)
            if found:
                yield number, found.group(1)


def sources(top, folder):
    for base, _, names in os.walk(os.path.join(top, folder)):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.join(base, name)


def target_of(top, source, name):
    """The file an include line names, relative to top; None when it is not the product's."""
    here = os.path.dirname(source)
    places = [here, os.path.join(top, "include"), os.path.join(top, "include", "packet-mbuf"), os.path.join(top, "dataplane"),
              os.path.join(top, "control"), os.path.join(top, "control", "wwsf")]
    for place in places:
        path = os.path.normpath(os.path.join(place, name))
        if os.path.isfile(path):
            return os.path.relpath(path, top)
    return None


def place_of(path):
    """('include', None), ('dataplane', layer or None for the pipeline), ('control', None), ..."""
    parts = path.split(os.sep)
    if parts[0] == "dataplane" and len(parts) > 2:
        return parts[0], parts[1]
    return parts[0], None


def refused(source, target):
    """Why source may not include target, or None."""
    (source_top, source_layer), (target_top, target_layer) = place_of(source), place_of(target)
    if target_top == "include":
        return None
    if source_top != target_top:
        return f"{source_top}/ and {target_top}/ meet in include/ only"
    if source_top != "dataplane" or source_layer == target_layer:
        return None
    if source_layer is None:
        return None  # the pipeline knows every layer
    if target_layer is None:
        return "a layer does not include the pipeline"
    if LAYERS.index(target_layer) > LAYERS.index(source_layer):
        return f"{source_layer} stands below {target_layer}"
    return None


def main(top):
    broken = 0
    for folder in ("include", "drivers", "dataplane", "control"):
        for path in sources(top, folder):
            source = os.path.relpath(path, top)
            for number, name in includes(path):
                target = target_of(top, path, name)
                if target is None:
                    print(f"{source}:{number}: {name} is not there")
                    broken += 1
                    continue
                why = refused(source, target)
                if why is not None:
                    print(f"{source}:{number}: {name}: {why}")
                    broken += 1
    print(f"arrows: {broken} point the wrong way")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".")))
