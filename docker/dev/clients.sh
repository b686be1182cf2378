# Stock clients in other languages, with which the service tests read and write what we promise. Sourced by ./dev.
# shellcheck shell=bash

readonly python_client=$state/clients/python node_client=$state/clients/node

# Installs what can be; the tests find it by these variables, and leave out a client without one.
stock_clients() {
  python_packages || true
  npm_packages "stock Node client" "$root/tests/clients/node" "$node_client" || true
}

clients_environment() {
  if [ -f "$python_client/.installed" ]; then echo "SWITCHBOARD_PYTHON=$python_client/bin/python"; fi
  if [ -f "$node_client/.installed" ]; then echo "SWITCHBOARD_NODE_MODULES=$node_client/node_modules"; fi
}

export_clients() {
  local variable
  while read -r variable; do export "${variable?}"; done < <(clients_environment)
}

print_clients() {
  local variable
  while read -r variable; do printf 'export %q\n' "$variable"; done < <(clients_environment)
}

python_packages() {
  local what="stock Python client" requirements=$root/tests/clients/python/requirements.txt
  if ! command -v python3 >/dev/null; then
    not_run "$what" "python3 is not there"
    return 1
  fi
  # Debian has both in a package of its own.
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    not_run "$what" "python3 has no venv"
    return 1
  fi
  install_once "$what" "$python_client" "$(python3 --version), $(cksum <"$requirements")" pip_install "$requirements"
}

pip_install() {
  quietly python3 -m venv "$python_client" &&
    quietly "$python_client/bin/python" -m pip install --retries 1 --only-binary :all: --requirement "$1"
}
