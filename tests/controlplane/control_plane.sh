#!/usr/bin/env bash
# The control plane of plain processes: etcd, the API server, its controllers and scheduler, nodes that KWOK pretends, and
# the KubeRay operator. It ends when one of them does.   control_plane.sh CACHE FOLDER ADDRESS
set -euo pipefail
cache=$1 bin=$1/bin folder=$2 address=$3
cd "$folder"
openssl genrsa -out accounts.key 2048 2>/dev/null
echo 'admin-token,admin,admin,system:masters' >tokens.csv
cat >kubeconfig <<'CONFIG'
apiVersion: v1
kind: Config
clusters: [{name: plane, cluster: {server: "https://127.0.0.1:6443", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: admin-token}}]
contexts: [{name: admin, context: {cluster: plane, user: admin}}]
current-context: admin
CONFIG
export KUBECONFIG=$folder/kubeconfig

run() { # run NAME COMMAND...
    local name=$1
    shift
    "$@" >"$folder/$name.log" 2>&1 &
}
until_done() { # until_done COMMAND...: again and again; the test has the patience
    until "$@" >/dev/null 2>&1; do sleep 0.3; done
}

run etcd etcd --data-dir "$folder/etcd" --listen-client-urls http://127.0.0.1:2379 \
    --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
# Debian's etcd 3.4 knows nothing of WatchList.
run apiserver "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --cert-dir="$folder/certificates" \
    --secure-port=6443 --bind-address=0.0.0.0 --advertise-address="$address" --service-cluster-ip-range=10.201.0.0/16 \
    --service-account-issuer=https://kubernetes.default.svc --service-account-signing-key-file=accounts.key \
    --service-account-key-file=accounts.key --authorization-mode=RBAC --token-auth-file=tokens.csv \
    --endpoint-reconciler-type=none --disable-admission-plugins=TaintNodesByCondition --feature-gates=WatchList=false
until_done "$bin/kubectl" get --raw /readyz
run controllers "$bin/kube-controller-manager" --kubeconfig="$KUBECONFIG" --leader-elect=false \
    --service-account-private-key-file=accounts.key --root-ca-file=certificates/apiserver.crt \
    --controllers=*,-node-lifecycle-controller
run scheduler "$bin/kube-scheduler" --kubeconfig="$KUBECONFIG" --leader-elect=false
run kwok "$bin/kwok" --kubeconfig="$KUBECONFIG" --manage-all-nodes=false \
    --manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake --cidr=10.200.0.0/16 --node-ip=10.200.255.1
for zone in a b c; do
    "$bin/kubectl" apply --filename - <<NODE >/dev/null
apiVersion: v1
kind: Node
metadata:
  name: node-$zone
  annotations: {kwok.x-k8s.io/node: fake}
  labels: {kubernetes.io/hostname: node-$zone, topology.kubernetes.io/zone: zone-$zone, kubernetes.io/os: linux}
status:
  allocatable: &all {cpu: "64", memory: 512Gi, pods: "110"}
  capacity: *all
NODE
done
"$bin/kubectl" apply --server-side --filename "$cache/definitions" --filename "$folder/definitions" >/dev/null
until_done "$bin/kubectl" wait --for=condition=Established crd --all --timeout=60s
run operator env POD_NAMESPACE=kuberay-system "$bin/ray-operator" --enable-leader-election=false \
    --use-kubernetes-proxy=true --metrics-addr=127.0.0.1:18080 --health-probe-bind-address=127.0.0.1:18082
touch "$folder/up"
wait -n
