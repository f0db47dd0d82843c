import { writeFile } from "node:fs/promises";
import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";

const EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A certificate authority in `ca.crt`, and what each server shows to the others, all signed by it. */
export async function writeCertificates(home: string): Promise<void> {
  const run = commandRunner({ defaults: { cwd: home, timeoutMs: 60_000 } });
  const openssl = async (...args: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await run("openssl", args);
    if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  await openssl("req", "-x509", ...EC_KEY, "-days", "7", "-subj", "/CN=test-ca", "-keyout", "ca.key", "-out", "ca.crt");
  await writeFile(path.join(home, "names"), "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc\n");
  const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "7", "-extfile", "names"];
  // The second is the API server's own towards a kubelet.
  for (const name of ["server", "kubelet-client", "kubelet"]) {
    const request = ["-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`];
    await openssl("req", ...EC_KEY, ...request);
    await openssl("x509", "-req", "-in", `${name}.csr`, ...signed, "-out", `${name}.crt`);
  }
  await openssl("genrsa", "-out", "accounts.key", "2048");
}
