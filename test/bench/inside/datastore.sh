#!/bin/bash
# datastore.sh K3S: how long a control plane takes to /readyz, in seconds, on a line each: with nothing,
# with the datastore of the run before, and with that less what only that cluster had.
set -euo pipefail

k3s=$1
data=$(mktemp --directory)
kubeconfig=$data/kubeconfig
# Where k3s unpacks itself, whatever it is asked for: now, since the action has that done before.
export K3S_CONFIG_FILE=$data/config.yaml
echo "data-dir: $data" >"$K3S_CONFIG_FILE"
"$k3s" ctr --version >/dev/null
cat >"$data/without-secrets.mjs" <<'PROGRAM'
import { DatabaseSync } from 'node:sqlite';
const kept = [
  'clusterroles', 'clusterrolebindings', 'roles', 'rolebindings', 'priorityclasses', 'flowschemas',
  'prioritylevelconfigurations', 'apiregistration.k8s.io', 'storageclasses', 'ranges', 'namespaces',
  'ipaddresses', 'servicecidrs', 'services/specs/default/kubernetes',
];
const database = new DatabaseSync(process.argv[2]);
const names = database.prepare('select distinct name from kine').all().map(({ name }) => name);
const remove = database.prepare('delete from kine where name = ?');
for (const name of names) {
  const isKept = kept.some((prefix) => name.startsWith(`/registry/${prefix}`));
  if (!isKept && name !== 'compact_rev_key') remove.run(name);
}
PROGRAM

measure() {
  local begin=$EPOCHREALTIME
  "$k3s" server --write-kubeconfig="$kubeconfig" --disable-agent \
    --egress-selector-mode=cluster --flannel-backend=none --disable-kube-proxy \
    --disable-network-policy --disable-helm-controller \
    --disable=traefik,metrics-server,coredns,local-storage >"$data/log" 2>&1 &
  local server=$!
  # Nobody tells; as often as the action asks.
  until "$k3s" kubectl --kubeconfig "$kubeconfig" get --raw=/readyz >/dev/null 2>&1; do sleep 0.1; done
  awk "BEGIN { print $EPOCHREALTIME - $begin }"
  # The controllers' own objects come after readiness.
  [ "$1" != cold ] || sleep 5
  kill "$server"
  wait "$server" || true
  rm "$kubeconfig"
}

measure cold
measure kept
node "$data/without-secrets.mjs" "$data/server/db/state.db" 2>/dev/null
rm -r "$data/server/tls" "$data/server/cred" "$data"/server/*token
measure bootstrap
rm -r "$data"
