/**
 * What stands in for the programs of a Kubernetes node image: shell scripts that keep what they did in files, refuse what
 * the real ones refuse, and can be told by their environment to fail or to hang.
 */

const BEGIN = `#!/bin/sh
R=\${SLIPWAY_ROOT%/}
S=$R/opt/node/state
begin() {
  case "$NODE_DOES" in
    fail) echo "$NODE_SAYS" >&2; exit 1 ;;
    hang) exec sleep 2147483647 ;;
  esac
}
finish() {
  if [ "$NODE_DOES" = fail-after ]; then echo "$NODE_SAYS" >&2; exit 1; fi
  exit 0
}
refused() {
  echo "The connection to the server $NODE_IP:6443 was refused - did you specify the right host or port?" >&2
  exit 1
}
`;

/** Which object a command means is written by the API's own name. */
const KUBECTL = `${BEGIN}
begin
config=\${KUBECONFIG:-$R/root/.kube/config}
previous=
for word; do
  case "$word" in --kubeconfig=*) config=\${word#*=} ;; esac
  [ "$previous" = --kubeconfig ] && config=$word
  previous=$word
done
case "$config" in "$R"/*) ;; /*) config=$R$config ;; esac
grep -q '^ *server: ' "$config" 2>/dev/null || { echo "error: no configuration has been provided" >&2; exit 1; }
[ -e "$S/api" ] || refused
case " $* " in
  */readyz*|*/healthz*|*/livez*) echo ok ;;
  *" taint "*)
    # A node name, or --all, and what is to go, with a dash behind it.
    grep -q control-plane "$S/taints" 2>/dev/null || { echo "error: taint \\"node-role.kubernetes.io/control-plane\\" not found" >&2; exit 1; }
    rm -f "$S/taints"; echo "node/$NODE_NAME untainted" ;;
  *" label "*) echo "node/$NODE_NAME labeled" ;;
  *" apply "*|*" create "*)
    manifest=$(cat)
    case "$manifest" in *'{{'*) echo "error: error parsing STDIN: template expression left over" >&2; exit 1 ;; esac
    case "$manifest" in *kind:*) ;; *) echo "error: no objects passed to apply" >&2; exit 1 ;; esac
    case "$manifest" in *kindnet*|*flannel*|*cni*) : >"$S/cni" ;; esac
    case "$manifest" in *StorageClass*) : >"$S/storage" ;; esac
    echo "applied" ;;
  *" wait "*)
    [ -e "$S/cni" ] || { echo "error: timed out waiting for the condition on nodes/$NODE_NAME" >&2; exit 1; }
    for node in "$S"/nodes/*; do echo "node/\${node##*/} condition met"; done ;;
  *" get nodes "*)
    [ -e "$S/cni" ] && ready=Ready || ready=NotReady
    for node in "$S"/nodes/*; do echo "\${node##*/} $ready $(cat "$node") 1m v1.36.0"; done ;;
  *) echo "error: unknown command: $*" >&2; exit 1 ;;
esac
finish
`;

const KUBEADM = `${BEGIN}
begin
[ -e "$S/containerd" ] || { echo "[ERROR CRI]: container runtime is not running" >&2; exit 1; }
case "$1" in
  init)
    config=
    for word; do case "$word" in --config=*) config=\${word#*=} ;; esac; done
    case "$config" in "$R"/*) ;; *) config=$R$config ;; esac
    grep -q ClusterConfiguration "$config" 2>/dev/null || { echo "error: unable to read config from \\"$config\\"" >&2; exit 1; }
    [ -e "$S/sysctl" ] || { echo "[ERROR FileContent--proc-sys-net-ipv4-ip_forward]: contents are not set to 1" >&2; exit 1; }
    if [ -e "$R/etc/kubernetes/manifests/kube-apiserver.yaml" ]; then
      echo "[ERROR FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml]: kube-apiserver.yaml already exists" >&2; exit 1
    fi
    echo "kind: Pod" >"$R/etc/kubernetes/manifests/kube-apiserver.yaml"
    endpoint=$(sed -n 's/^ *controlPlaneEndpoint: *"\\{0,1\\}\\([^"]*\\)"\\{0,1\\}$/\\1/p' "$config" | head -n 1)
    cat >"$R/etc/kubernetes/admin.conf.new" <<CONF
apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: Y2EtZGF0YQ==
    server: https://\${endpoint:-$NODE_IP:6443}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubernetes-admin
  name: kubernetes-admin@kubernetes
current-context: kubernetes-admin@kubernetes
users:
- name: kubernetes-admin
  user:
    client-certificate-data: Y2VydC1kYXRh
    client-key-data: a2V5LWRhdGE=
CONF
    mv "$R/etc/kubernetes/admin.conf.new" "$R/etc/kubernetes/admin.conf"
    echo "node-role.kubernetes.io/control-plane:NoSchedule" >"$S/taints"
    echo control-plane >"$S/nodes/$NODE_NAME"
    echo "$NODE_IP" >"$S/api"
    echo "Your Kubernetes control-plane has initialized successfully!" ;;
  token)
    [ -e "$S/api" ] || refused
    token=$(od -An -N11 -tx1 /dev/urandom | tr -d ' \\n' | sed 's/^\\(......\\)\\(................\\)$/\\1.\\2/')
    echo "$token" >>"$S/tokens"
    endpoint=$(sed -n 's/^ *server: https:\\/\\///p' "$R/etc/kubernetes/admin.conf")
    echo "kubeadm join $endpoint --token $token --discovery-token-ca-cert-hash sha256:0000000000000000000000000000000000000000000000000000000000000000" ;;
  join)
    [ "$NODE_JOINS" = yes ] || { echo "error execution phase preflight: couldn't validate the identity of the API Server: connection refused" >&2; exit 1; }
    [ -e "$R/etc/kubernetes/kubelet.conf" ] && { echo "[ERROR FileAvailable--etc-kubernetes-kubelet.conf]: kubelet.conf already exists" >&2; exit 1; }
    echo "kind: Config" >"$R/etc/kubernetes/kubelet.conf"
    echo "This node has joined the cluster" ;;
  reset)
    rm -rf "$R"/etc/kubernetes/*.conf "$R"/etc/kubernetes/manifests/* "$S/api" "$S/cni" "$S/taints" "$S/storage" "$S/tokens" "$S"/nodes/* ;;
  version) echo "kubeadm version: v1.36.0" ;;
  *) echo "Error: unknown command \\"$1\\" for \\"kubeadm\\"" >&2; exit 1 ;;
esac
finish
`;

/** The first process: it starts the runtime, and where the address has changed since the last start it mends what names it. */
const ENTRYPOINT = `${BEGIN}
rm -f "$S/containerd" "$S/sysctl"
echo "INFO: starting init"
begin
if [ -e "$S/api" ]; then
  echo "INFO: Detected old IPv4 address: $(cat "$S/api"), new IPv4 address: $NODE_IP"
  echo "$NODE_IP" >"$S/api"
fi
: >"$S/containerd"
echo "[  OK  ] Started containerd container runtime."
echo "[  OK  ] Reached target Multi-User System."
exec sleep 2147483647
`;

const SYSTEMCTL = `${BEGIN}
begin
case "$*" in
  "is-active containerd"|"is-active --quiet containerd")
    [ -e "$S/containerd" ] && { case "$*" in *quiet*) ;; *) echo active ;; esac; finish; }
    echo inactive; exit 3 ;;
  *) finish ;;
esac
`;

const CRICTL = `${BEGIN}
begin
[ -e "$S/containerd" ] || { echo "FATA[0000] validate service connection: connection refused" >&2; exit 1; }
echo '{"status":{"conditions":[{"type":"RuntimeReady","status":true}]}}'
finish
`;

const SYSCTL = `${BEGIN}
begin
: >"$S/sysctl"
for word; do case "$word" in *=*) echo "$word" ;; esac; done
finish
`;

const OBEDIENT = (command: string): string => `${BEGIN}
begin
PATH=\${PATH#*:} ${command} "$@" || exit $?
finish
`;

export const NODE_PROGRAMS: Readonly<Record<string, string>> = {
  entrypoint: ENTRYPOINT,
  kubeadm: KUBEADM,
  kubectl: KUBECTL,
  systemctl: SYSTEMCTL,
  crictl: CRICTL,
  sysctl: SYSCTL,
  // The host's own, but for what they are told.
  cat: OBEDIENT("cat"),
  tee: OBEDIENT("tee"),
};
