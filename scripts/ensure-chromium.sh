#!/bin/sh
# The browser tests drive Debian's Chromium; install it where that is possible, else say what is missing.
if command -v chromium >/dev/null 2>&1 || [ -n "$TROCAR_CHROMIUM" ]; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq && apt-get install -y -qq chromium fonts-dejavu-core >/dev/null && exit 0
fi
echo "hint: the browser tests need Chromium: apt install chromium, or set TROCAR_CHROMIUM" >&2
