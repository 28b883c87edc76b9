# What the suites need of a machine; sourced by them. A tool that cannot be had is a failure, never a skip.

# where environments are kept between runs, outside the tree
suites_home=${ENVOI_SUITES_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/envoi-suites}
mkdir -p "$suites_home"

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# need COMMAND PACKAGE…: the command is there, or comes with these Debian packages
need() {
  local command=$1
  shift
  command -v "$command" > /dev/null && return
  install_packages "$@"
  command -v "$command" > /dev/null || fail "there is no $command, not even with $*"
}

# install_packages PACKAGE…: those that are not installed yet
install_packages() {
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  echo "installing ${missing[*]}"
  update_packages
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > "$suites_home/apt.log" 2>&1 ||
    { tail -n 20 "$suites_home/apt.log" >&2; fail "could not install ${missing[*]}"; }
}

# the lists of packages, once per run
update_packages() {
  [ -n "${packages_updated:-}" ] && return
  apt-get update -qq > "$suites_home/apt.log" 2>&1 || { tail -n 20 "$suites_home/apt.log" >&2; fail 'apt-get update failed'; }
  packages_updated=yes
}

# unpack ROOT PACKAGE…: these packages as they are now, below a folder and not installed
unpack() {
  local root=$1 fetched package
  shift
  update_packages
  fetched=$(mktemp -d)
  (cd "$fetched" && apt-get download -qq -o APT::Sandbox::User=root "$@") > "$suites_home/apt.log" 2>&1 ||
    { tail -n 20 "$suites_home/apt.log" >&2; fail "could not fetch $*"; }
  mkdir -p "$root"
  for package in "$fetched"/*.deb; do dpkg -x "$package" "$root"; done
  rm -rf "$fetched"
}

# python_environment REQUIREMENTS: prints the path of an interpreter that has them; made once for each list
python_environment() {
  local folder
  folder=$suites_home/python-$(sha256sum < "$1" | cut -c 1-12)
  (
    flock 9
    [ -e "$folder/complete" ] && exit
    rm -rf "$folder"
    python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$1" && touch "$folder/complete"
  ) 9> "$folder.lock" >&2 || fail "could not make a Python environment with $1"
  echo "$folder/bin/python"
}

# prints the path of the relay's binary: the one that ENVOI_BINARY names, or the release build, made now
relay_binary() {
  local binary=${ENVOI_BINARY:-}
  if [ -z "$binary" ]; then
    command -v cargo > /dev/null || fail 'there is no cargo: install Rust, or name a binary by ENVOI_BINARY'
    cargo build --quiet --locked --release -p envoi >&2
    binary=${CARGO_TARGET_DIR:-target}/release/envoi
  fi
  [ -x "$binary" ] || fail "there is no program at $binary"
  realpath "$binary"
}
