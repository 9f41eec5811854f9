#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# build.sh FOLDER [MESON OPTION...]   configures FOLDER when that is needed, builds it (of it what TARGETS names, when
# that is set), and puts the programs on top
set -eu
cd "$(dirname "$0")/.."
folder=$1
shift
if [ ! -f "$folder/build.ninja" ]; then
	meson setup "$folder" "$@" >"$folder.log" 2>&1 || { cat "$folder.log"; rm -f "$folder.log"; exit 1; }
	rm -f "$folder.log"
else
	meson configure "$folder" "$@" >/dev/null
fi
log=$(mktemp)
# shellcheck disable=SC2086 # several words
if ! ninja -C "$folder" ${TARGETS:-} >"$log" 2>&1; then
	grep -v '^\[' "$log" || cat "$log"
	rm -f "$log"
	exit 1
fi
rm -f "$log"
for program in control/wicgate control/wicctl/wicctl control/wwsf/wicgate-wwsf tests/load/wicgate-load; do
	[ ! -x "$folder/$program" ] || ln -sf "$program" "$folder/$(basename "$program")"
done
