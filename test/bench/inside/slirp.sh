#!/bin/bash
# slirp.sh COMMAND...: runs it in a network namespace whose only way out is slirp4netns.
set -euo pipefail

unshare --user --map-root-user --net sleep infinity &
namespace=$!
ready=$(mktemp --directory)/ready
mkfifo "$ready"
# Its own --configure fails in gVisor: "SIOCSIFFLAGS: Inappropriate ioctl for device".
slirp4netns --mtu=65520 --ready-fd=3 "$namespace" tap0 3>"$ready" >/dev/null 2>&1 &
slirp=$!
trap 'kill "$slirp" "$namespace"' EXIT
read -rn 1 <"$ready"

inside() { nsenter --target "$namespace" --user --net --preserve-credentials -- "$@"; }
inside ip link set tap0 up mtu 65520
inside ip address add 10.0.2.100/24 dev tap0
inside ip route add default via 10.0.2.2 dev tap0
inside "$@"
