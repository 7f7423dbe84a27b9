# shellcheck shell=sh disable=SC2154 # shares its variables with the script that reads it
# The distribution's packages that a profile needs, logrotate where it has rules for it, and where it has units of its user
# what their manager needs. Called with $family, and PACKAGES_… of profile.conf.

# find_missing_packages: in $missing_packages
find_missing_packages() {
  missing_packages=
  case $family in
    # Other families have pam_systemd in systemd's own package.
    debian) packages="${PACKAGES_DEBIAN-} ${USER_UNITS:+libpam-systemd}" ;;
    redhat) packages=${PACKAGES_REDHAT-} ;;
    arch) packages=${PACKAGES_ARCH-} ;;
    # Tried on demand; its package manager is not known.
    *) packages= ;;
  esac
  for package in $packages ${LOGROTATE:+logrotate}; do
    has_package "$package" || missing_packages="$missing_packages $package"
  done
}

has_package() {
  # shellcheck disable=SC2016 # a format of dpkg-query
  case $family in
    debian) [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
    redhat) rpm --query "$1" >/dev/null 2>&1 ;;
    arch) pacman --query "$1" >/dev/null 2>&1 ;;
  esac
}

# install_missing_packages: the first thing that is changed on a host, and the only one where it fails
install_missing_packages() {
  [ -n "$missing_packages" ] || return 0
  # shellcheck disable=SC2086 # one word a package
  said=$(run_package_manager $missing_packages 2>&1 </dev/null) || {
    printf '%s\n' "$said" | tail -n 5 >&2
    printf '%s: its packages cannot be installed:%s; see the lines above\n  %s\n' "$SERVICE" "$missing_packages" \
      'correct the package sources of this machine, or install them by hand, and run ./fleet up again; nothing else was changed' >&2
    exit 1
  }
  mkdir -p "$opt"
  # shellcheck disable=SC2086 # one line a package
  printf '%s\n' $missing_packages >>"$opt/made-packages"
}

# run_package_manager PACKAGE...
run_package_manager() {
  case $family in
    debian)
      export DEBIAN_FRONTEND=noninteractive
      # Machines that were just made update by themselves, and hold the lock meanwhile.
      apt-get --option DPkg::Lock::Timeout=300 --quiet update &&
        apt-get --option DPkg::Lock::Timeout=300 --quiet --yes install "$@"
      ;;
    redhat) dnf --quiet --assumeyes install "$@" ;;
    arch) pacman --sync --noconfirm --needed "$@" ;;
  esac
}
