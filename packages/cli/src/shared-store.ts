import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isRecord } from "./config-file.ts";
import type { Finding } from "./error-report.ts";
import { refuseForeignOwner, trustedOwners } from "./file-owner.ts";
import { entryFile, findPackage } from "./package-manifest.ts";
import type { Session } from "./session.ts";

const PACKAGE = "@slipway/store-postgres";
const CHECK = "shared store";

/**
 * Is the database of a shared store as its package needs it? Only where the user names it with SLIPWAY_DATABASE_URL, which
 * is never shown: it holds a password.
 */
export async function sharedStoreFinding({ world, secrets, providers }: Session): Promise<readonly Finding[]> {
  const url = world.env["SLIPWAY_DATABASE_URL"];
  if (url === undefined || url === "") return [];
  secrets.add(url);
  const password = URL.parse(url)?.password ?? "";
  for (const secret of [password, decoded(password)]) if (secret !== "") secrets.add(secret);
  const manifest = await findPackage(PACKAGE, world.cwd);
  const entry = manifest === null ? null : entryFile(manifest);
  if (manifest === null || entry === null) {
    const says = `SLIPWAY_DATABASE_URL is set, and ${PACKAGE} is not installed here`;
    return [{ check: CHECK, state: "warning", says, hint: `Install it: npm install ${PACKAGE} pg` }];
  }
  const file = join(manifest.directory, entry);
  // As of a provider package: what is loaded here runs with this user's rights.
  const owners = trustedOwners(world, await providers.config());
  for (const path of [manifest.directory, join(manifest.directory, "package.json"), file]) {
    await refuseForeignOwner(path, owners);
  }
  const module: unknown = await world.loadModule(pathToFileURL(file).href);
  const check: unknown = isRecord(module) ? module["checkDatabase"] : undefined;
  if (typeof check !== "function") {
    const says = `${PACKAGE} ${String(manifest.fields["version"])} here has no checkDatabase`;
    return [{ check: CHECK, state: "failed", says, hint: `Upgrade it: npm install ${PACKAGE}@latest` }];
  }
  const schema = world.env["SLIPWAY_DATABASE_SCHEMA"] ?? "slipway";
  let found: unknown;
  try {
    found = await Reflect.apply(check, undefined, [url, { schema }]);
  } catch (error) {
    // What a driver says may repeat the address.
    const reason = secrets.redact(error instanceof Error ? error.message : String(error));
    const hint = isRecord(error) && typeof error["hint"] === "string" ? secrets.redact(error["hint"]) : undefined;
    return [{ check: CHECK, state: "failed", says: `the database cannot be checked: ${reason}`, hint }];
  }
  const { state, version, needed } = isRecord(found) ? found : {};
  const says = `schema ${schema}, version ${String(version)} of ${String(needed)}`;
  if (state === "current") return [{ check: CHECK, state: "ok", says }];
  const hint =
    state === "newer"
      ? `Update ${PACKAGE} here to the version that is used elsewhere.`
      : `Apply its migrations: \`await applyMigrations(pool)\`, or the SQL of migrationsFor("${schema}").`;
  return [{ check: CHECK, state: "failed", says: `${says}: ${String(state)}`, hint }];
}

/** A percent sign that encodes nothing stays one: a password may hold it. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
