#!/bin/sh
# Programs that tests drive: Debian's Chromium, and CalculiX as a second opinion on the voxel elements.
# Install them where that is possible, else say what is missing; their tests are then skipped, or fail for the browser.
missing=""
command -v chromium >/dev/null 2>&1 || [ -n "$TROCAR_CHROMIUM" ] || missing="chromium fonts-dejavu-core"
command -v ccx >/dev/null 2>&1 || missing="$missing calculix-ccx"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq && apt-get install -y -qq $missing >/dev/null && exit 0
fi
echo "hint: some tests need programs that are not here: apt install $missing (or set TROCAR_CHROMIUM)" >&2
