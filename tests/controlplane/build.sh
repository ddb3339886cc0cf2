#!/usr/bin/env bash
# Builds what tests/controlplane runs, a real control plane with the KubeRay operator, from Go modules: once, into a cache
# outside the clone (about 20 minutes of one processor). What is built already is kept. `build.sh --where` says where it is.
set -euo pipefail
KUBERNETES=v1.34.2 KUBERAY=v1.6.2 KWOK=v0.7.0
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/optionchain/kubernetes/$KUBERNETES-$KUBERAY-$KWOK
bin=$cache/bin
if [ "${1:-}" = --where ]; then
    echo "$cache"
    exit
fi
[ -e "$cache/complete" ] && exit
command -v etcd >/dev/null || echo "etcd is needed too, to run it: on Debian, apt-get install etcd-server" >&2
mkdir -p "$bin"
export GOMODCACHE=$cache/modules GOCACHE=$cache/objects GOBIN=$bin CGO_ENABLED=0 GOFLAGS="-buildvcs=false -trimpath -p=${JOBS:-1}"
component=k8s.io/component-base/version client=k8s.io/client-go/pkg/version
version="-s -w -X $component.gitVersion=$KUBERNETES -X $component.gitMajor=1 -X $component.gitMinor=34 -X $client.gitVersion=$KUBERNETES"

build() { # build NAME COMMAND...: unless it is there
    [ -x "$bin/$1" ] && return
    echo "building $1 ..." && shift && nice -n 19 "$@"
}
for name in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
    build $name go -C "$here/go" build -mod=mod -ldflags "$version" -o "$bin/$name" k8s.io/kubernetes/cmd/$name
done
build ray-operator go install -ldflags "-s -w" github.com/ray-project/kuberay/ray-operator@$KUBERAY
build kwok go install -ldflags "-s -w" sigs.k8s.io/kwok/cmd/kwok@$KWOK
cp -r "$GOMODCACHE/github.com/ray-project/kuberay/ray-operator@$KUBERAY/config/crd/bases" "$cache/definitions"
go clean -modcache && rm -r "$GOCACHE"
touch "$cache/complete"
echo "$(du -sh "$cache" | cut -f1) in $cache"
