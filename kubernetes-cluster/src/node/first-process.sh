#!/usr/bin/env bash
# The first process of a node, in mount, network and process namespaces of its own: when it ends, everything on the node ends.
# File descriptor 3 is the network that it came from. Arguments: the node's folder, the program of Kubernetes, the name of the
# control group that is made for it, the addresses of the API server and of the kubelet, the labels of the node, its GPUs.
set -euo pipefail
home=$1 kube=$2 cgroup=$3 api_server=$4 kubelet=$5 labels=$6
shift 6
trap 'exit 0' TERM INT

# Nothing in here can write a setting of the kernel. The ones that a kubelet wants are ordinary files with the values that it
# wants, so that it finds nothing to change.
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
cover() {
  printf '%s\n' "$2" >"$home/settings/${1//\//.}"
  mount --bind "$home/settings/${1//\//.}" "/proc/sys/$1"
}
mkdir "$home/settings"
cover vm/overcommit_memory 1
cover vm/panic_on_oom 0
cover kernel/panic 10
cover kernel/panic_on_oops 1
cover kernel/keys/root_maxkeys 1000000
cover kernel/keys/root_maxbytes 25000000
cover net/ipv4/ip_forward 1
mount -o remount,bind,ro /sys
# Of the control groups only those that were made for this node.
for controller in /sys/fs/cgroup/*/; do
  [ -d "$controller$cgroup" ] || continue
  mount --bind "$controller$cgroup" "$controller$cgroup"
  mount -o remount,bind,ro "$controller"
done

# What containerd and the kubelet keep is kept in the node's folder, whatever their paths are.
for folder in lib run log; do mkdir "$home/$folder"; done
mount --bind "$home/lib" /var/lib
mount --bind "$home/run" /run
mount --bind "$home/log" /var/log
mkdir /run/lock

# The network of the pods is a bridge that leads nowhere else.
ip link set lo up
ip link add pods type bridge
ip address add 10.88.0.1/16 dev pods
ip link set pods up
"$kube" cross-networks "$api_server" "$kubelet" 2>"$home/cross-networks.log" &

containerd --config "$home/containerd.toml" >"$home/containerd.log" 2>&1 3<&- &
until [ -S /run/containerd/containerd.sock ] && ctr version >/dev/null 2>&1; do sleep 0.1; done
ctr --namespace k8s.io images import "$home/images.tar" >"$home/import.log" 2>&1 3<&-

"$kube" kubelet --config "$home/kubelet.json" --kubeconfig "$home/kubeconfig" --hostname-override localhost \
  --node-ip 10.88.0.1 --node-labels "$labels" >"$home/kubelet.log" 2>&1 3<&- &
until [ -S /var/lib/kubelet/device-plugins/kubelet.sock ]; do sleep 0.1; done
"$kube" offer-gpus /var/lib/kubelet/device-plugins nvidia.com/gpu "$@" 2>"$home/gpus.log" 3<&- &
# A node without one of them is none.
wait -n
tail -n 20 "$home"/*.log >&2
exit 1
