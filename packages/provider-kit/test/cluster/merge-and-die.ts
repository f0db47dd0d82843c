// Puts a cluster's entries into a kubeconfig and is killed at the given call of those that change the disk.
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const [path = "", fatal = "0"] = process.argv.slice(2);
let calls = 0;

/** Dies before every call with an odd number and after every call with an even one. */
function mayDie(target: object, name: string): void {
  const work: unknown = Reflect.get(target, name);
  if (typeof work !== "function") throw new Error(`no function ${name}`);
  const die = (): void => {
    calls += 1;
    if (calls === Number(fatal)) process.kill(process.pid, "SIGKILL");
  };
  Reflect.set(target, name, async function (this: unknown, ...args: readonly unknown[]): Promise<unknown> {
    die();
    return Promise.resolve(Reflect.apply(work, this, args)).finally(die);
  });
}

const handle = await fs.open(process.execPath, "r");
for (const name of ["writeFile", "sync"]) mayDie(Object.getPrototypeOf(handle), name);
await handle.close();
for (const name of ["mkdir", "open", "symlink", "rename", "rm", "unlink", "chmod"]) mayDie(fs, name);
syncBuiltinESMExports();

const { mergeKubeconfig } = await import("../../src/cluster/index.ts");
const admin = `clusters:
- cluster:
    server: https://10.0.0.1:6443
  name: kubernetes
users:
- name: kubernetes-admin
  user:
    client-key-data: a2V5
`;
await mergeKubeconfig(path, {
  clusterName: "killed",
  owner: "me",
  admin,
  endpoint: "https://127.0.0.1:40001",
  currentContext: false,
});
