#!/bin/sh
# Chooses iptables' mode where the host has no iptables of its own, as k3s-root's
# script of that name does: the mode that has more rules, else the distribution's.
# IPTABLES_MODE=legacy|nft decides without looking.
dir=$(dirname "$(readlink -f "$0")")
name=$(basename "$0")
family=${name%%-*}
verb=${name#"$family"}

rules() { "$dir/$family-$1-save" 2>/dev/null | grep -c '^-A'; }

mode=$IPTABLES_MODE
if [ -z "$mode" ]; then
  legacy=$(rules legacy)
  nft=$(rules nft)
  if [ "$legacy" -gt "$nft" ]; then mode=legacy
  elif [ "$nft" -gt 0 ]; then mode=nft
  else
    . /etc/os-release 2>/dev/null
    case "$ID:${VERSION_ID%%.*}" in
      debian:[1-9] | ubuntu:1[0-9] | ubuntu:20) mode=legacy ;;
      alpine:*) mode=legacy ;;
      *) mode=nft ;;
    esac
  fi
fi
exec "$dir/$family-$mode$verb" "$@"
