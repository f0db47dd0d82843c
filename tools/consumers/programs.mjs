// The programs that a consumer writes: the same use from ESM and CJS, and a typed one.

/** Providers that need no account are used for real; the others must refuse to register without one. */
const WITHOUT_ACCOUNT = new Set(["memory", "local"]);

/** Spawn, list, get, terminate; and an error that the consumer's own core recognises although the provider threw it. */
const USE = `
async function use(core, register) {
  const registration = await register({}, { owner: "consumer", variables: process.env });
  await registration.hooks.onStartup();
  const { provider } = registration;
  const key = "consumer-" + process.pid + "-" + Date.now();
  const instance = await provider.spawn({ key });
  const listed = await provider.list({ keys: [key] });
  if (listed.length !== 1 || listed[0].id !== instance.id) throw new Error("list: " + JSON.stringify(listed));
  if ((await provider.get(instance.id))?.key !== key) throw new Error("get lost the key");
  const refused = await provider.spawn({ key: "" }).then(() => undefined, (error) => error);
  if (!core.isProviderError(refused, "INVALID_SPEC")) throw new Error("an empty key was not refused: " + refused);
  await provider.terminate(instance.id);
  await registration.hooks.onShutdown();
}
`;

const REFUSE = `
async function use(core, register) {
  const starting = register({}, { owner: "consumer", variables: {} }).then(({ hooks }) => hooks.onStartup());
  const refused = await starting.then(() => undefined, (error) => error);
  if (!core.isProviderError(refused)) throw new Error("starting without an account was not refused: " + refused);
}
`;

const useOf = (provider) => (WITHOUT_ACCOUNT.has(provider) ? USE : REFUSE);

export const esm = (name, provider) => `import * as core from "@slipway/core";
import { register } from "${name}";
${useOf(provider)}
await use(core, register);
`;

export const cjs = (name, provider) => `const core = require("@slipway/core");
const { register } = require("${name}");
${useOf(provider)}
use(core, register).catch((error) => { console.error(error); process.exitCode = 1; });
`;

/** Prints the modules that the import of a package loads, Node's own among them. */
export const loaded = (name) => `import { registerHooks } from "node:module";
const urls = [];
registerHooks({
  load: (url, context, next) => {
    urls.push(url);
    return next(url, context);
  },
});
await import("${name}");
process.stdout.write(JSON.stringify(urls));
`;

/** Each expected error is one that would compile if a type were \`any\` or a declaration missing. */
export const typed = (name, provider) => {
  const factory = camel(provider);
  const type = `${factory[0].toUpperCase()}${factory.slice(1)}Provider`;
  return `import { isProviderError, supports, type Instance, type Provider } from "@slipway/core";
import { ${factory}, type ${type} } from "${name}";

export const make: (options: never) => ${type} = ${factory};
declare const provider: ${type};

export async function launch(key: string): Promise<string> {
  const instance: Instance = await provider.spawn({ key });
  // @ts-expect-error an id is a string
  const id: number = instance.id;
  // @ts-expect-error there is no such option
  await provider.spawn({ key, nonsense: true });
  // @ts-expect-error there is no such method
  await provider.explode(id);
  return instance.id;
}

export async function keep(any: Provider, id: string): Promise<string | undefined> {
  // @ts-expect-error not every provider makes snapshots
  await any.createSnapshot(id, { key: "s" });
  if (!supports(any, "snapshots")) return undefined;
  return (await any.createSnapshot(id, { key: "s" })).id;
}

export function mayWait(error: unknown): boolean {
  if (!isProviderError(error)) return false;
  if (error.code === "QUOTA_EXCEEDED") {
    const never: false = error.retryable;
    return never;
  }
  return error.retryable;
}
`;
};

export const tsconfig = {
  compilerOptions: {
    target: "es2023",
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    types: ["node"],
  },
  files: ["consumer.mts", "consumer.cts"],
};

function camel(name) {
  return name.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
}
