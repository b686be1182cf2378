# Installing what is missing on Debian and Ubuntu, without starting or touching a service. Sourced by ./dev.
# shellcheck shell=bash

readonly policy=/usr/sbin/policy-rc.d
readonly cluster_settings=/etc/postgresql-common/createcluster.conf

can_install() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null && command -v dpkg >/dev/null; }

# Packages ask this program whether they may start their service; 101 means no. One that already says no (as in
# most containers) stays; another one is put aside until we are done.
forbid_services() {
  if [ -x "$policy" ]; then
    local answer=0
    "$policy" rabbitmq-server start >/dev/null 2>&1 || answer=$?
    [ "$answer" -ne 101 ] || return 0
    mv "$policy" "$policy.before-switchboard"
  fi
  printf '#!/bin/sh\n# Placed by switchboard ./dev while it installs packages.\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

# Puts everything back as it was, also after an installation that failed or was interrupted.
finish_installation() {
  [ -n "$installing" ] || return 0
  if grep -qs 'Placed by switchboard' "$policy"; then rm -f "$policy"; fi
  if [ -e "$policy.before-switchboard" ]; then mv "$policy.before-switchboard" "$policy"; fi
  if [ -e "$cluster_settings.before-switchboard" ]; then
    mv "$cluster_settings.before-switchboard" "$cluster_settings"
  fi
  keep_services_off
  installing=
}

# apt_install PACKAGES...: installs; fetches the package lists only when the ones at hand do not do.
apt_install() {
  local apt_get=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -y -q -o Dpkg::Use-Pty=0)
  {
    run "${apt_get[@]}" install --no-install-recommends "$@" || {
      note "fetching the package lists …" 2>&8
      run "${apt_get[@]}" update && run "${apt_get[@]}" install --no-install-recommends "$@"
    }
  } >>"$logs/apt.log" 2>&1 || {
    tail -n 20 "$logs/apt.log" >&2
    die "apt-get could not install $*; the lines above say why, all of it is in $logs/apt.log."
  }
}

# install_packages PACKAGES...: with services forbidden, and without the cluster Debian makes for a new PostgreSQL.
install_packages() {
  note "installing $* …"
  : >"$logs/apt.log"
  installing=$*
  forbid_services
  case " $* " in *" postgresql "*)
    apt_install postgresql-common
    cp -p "$cluster_settings" "$cluster_settings.before-switchboard"
    printf 'create_main_cluster = false\n' >"$cluster_settings"
    ;;
  esac
  apt_install "$@"
  finish_installation
  note "installed; system services were not started, and stay off"
}

# A package enables its service for the next start of the machine. What we brought stays off: our own instances are
# the only ones wanted. epmd comes with RabbitMQ.
keep_services_off() {
  local service
  for service in $installing; do
    case "$service" in
      postgresql) disable_services postgresql ;;
      rabbitmq-server) disable_services rabbitmq-server epmd.service epmd.socket ;;
    esac
  done
}

disable_services() {
  if command -v systemctl >/dev/null; then
    systemctl disable "$@" >>"$logs/apt.log" 2>&1 || true
  else
    update-rc.d "$1" disable >>"$logs/apt.log" 2>&1 || true
  fi
}

# What building needs. Rust itself is the one thing that is assumed.
ensure_build_tools() {
  PATH=$PATH:$HOME/.cargo/bin
  command -v cargo >/dev/null ||
    die "Rust is missing: install 1.92 or newer with https://rustup.rs, then run this again."
  local missing=()
  command -v cc >/dev/null || missing+=(gcc libc6-dev)
  [ -e /etc/ssl/certs/ca-certificates.crt ] || [ "$(uname)" != Linux ] || missing+=(ca-certificates)
  [ "${#missing[@]}" -gt 0 ] || return 0
  if can_install; then
    install_packages "${missing[@]}"
  elif ! command -v cc >/dev/null; then
    die "a C compiler is missing. Install one, then run this again:
  apt-get install gcc libc6-dev (Debian, Ubuntu, as root), xcode-select --install (macOS)"
  fi
}
