#!/usr/bin/env bash
# What the machine itself must have. `setup/system.sh run` for the demo, `test` for the tests as well.
# Missing Debian packages are installed when root on Debian, otherwise named with the exact command.
# The demo also runs without its welcome ones: devices behind them are then shown as unreachable.
set -euo pipefail
PATH=$PATH:/usr/sbin:/lib/nut # where Debian keeps servers

need=${1:?run or test}
missing_packages=()
welcome_packages=()
missing_words=()

package() { # command package: a Debian package that brings a command
  command -v "$1" >/dev/null 2>&1 || missing_packages+=("$2")
}

welcome() { # command package: better with it
  command -v "$1" >/dev/null 2>&1 || welcome_packages+=("$2")
}

at_least() { # name found wanted remedy
  if [ "$(printf '%s\n%s\n' "$3" "$2" | sort -V | head -n 1)" != "$3" ]; then
    missing_words+=("$1 $3 or newer is needed, found ${2:-none}. $4")
  fi
}

package gcc gcc
package make make
package pulseaudio pulseaudio
python3 -c 'import venv, ensurepip' >/dev/null 2>&1 || missing_packages+=(python3-venv)
if [ "$need" = run ]; then
  welcome mosquitto mosquitto
  welcome dummy-ups nut-server
  welcome snmpd snmpd
fi
if [ "$need" = test ]; then
  package chromium chromium
  package firefox-esr firefox-esr
  package ip iproute2
  package nft nftables
  package turnserver coturn
  package openssl openssl
  package fc-list fontconfig
  package mosquitto mosquitto
  package tshark tshark
  package promtool prometheus
  package dummy-ups nut-server
  package snmpd snmpd
  gst=/usr/lib/*/gstreamer-1.0
  compgen -G "/usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib" >/dev/null || missing_packages+=(gir1.2-gst-rtsp-server-1.0)
  compgen -G "$gst/libgstrtp.so" >/dev/null || missing_packages+=(gstreamer1.0-plugins-good)
  compgen -G "$gst/libgstx264.so" >/dev/null || missing_packages+=(gstreamer1.0-plugins-ugly)
  compgen -G "$gst/libgstvideotestsrc.so" >/dev/null || missing_packages+=(gstreamer1.0-plugins-base)
  /usr/bin/python3 -c 'import gi' >/dev/null 2>&1 || missing_packages+=(python3-gi)
  [ -d /usr/share/fonts/truetype/liberation ] || missing_packages+=(fonts-liberation)
fi

at_least Python "$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null || true)" 3.11 \
  "Install it: apt-get install python3 python3-venv"
at_least Rust "$(rustc --version 2>/dev/null | cut -d' ' -f2 || true)" 1.89 \
  "Install it: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
at_least Node.js "$(node --version 2>/dev/null | tr -d v || true)" 20 \
  "Install it from https://nodejs.org/en/download"

if [ ${#missing_packages[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "[0/3] System packages: ${missing_packages[*]}"
    log=$(mktemp)
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing_packages[@]}"; } >"$log" 2>&1; then
      tail -n 20 "$log" >&2
      missing_words+=("System packages could not be installed. Try: apt-get install ${missing_packages[*]}")
    fi
    rm -f "$log"
  else
    missing_words+=("System packages are missing. Install them: sudo apt-get install ${missing_packages[*]}")
  fi
fi

if [ ${#welcome_packages[@]} -gt 0 ]; then
  log=$(mktemp)
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || ! {
    echo "[0/3] System packages for more emulated devices: ${welcome_packages[*]}"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${welcome_packages[@]}"
  } >"$log" 2>&1; then
    echo "roomctl: some devices of the demo will be unreachable. To have them all: sudo apt-get install ${welcome_packages[*]}"
  fi
  rm -f "$log"
fi

if [ ${#missing_words[@]} -gt 0 ]; then
  printf 'roomctl: %s\n' "${missing_words[@]}" >&2
  exit 1
fi
