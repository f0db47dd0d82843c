import { rmSync } from "node:fs";
import { lines, printed, Refusal } from "./answer.ts";
import { allOf, parseArguments, type VerbSpec, valueOf } from "./arguments.ts";
import { compact, isoDate, pretty } from "./json.ts";
import { volumeDirectory } from "./machine.ts";
import { labelsOf, sizeOf } from "./run.ts";
import type { VolumeRecord } from "./state.ts";
import type { Verb } from "./verb.ts";

const CREATE: VerbSpec = {
  options: [
    { names: ["--label"], value: "text" },
    { names: ["--opt"], value: "text" },
    { names: ["-s"], value: "text" },
  ],
  needs: ["name"],
  most: 1,
};
const LIST: VerbSpec = {
  options: [{ names: ["--format"], value: ["json", "table", "yaml", "toml"] }, { names: ["-q", "--quiet"] }],
  most: 0,
};
const DEFAULT_BYTES = 512 * 1024 ** 3;

function element({ name, labels, sizeBytes, createdAt }: VolumeRecord): object {
  const source = `/Users/me/Library/Application Support/com.apple.container/volumes/${name}/volume.img`;
  const fixed = { driver: "local", format: "ext4", options: {}, source };
  return {
    id: name,
    configuration: { ...fixed, name, labels, sizeInBytes: sizeBytes, creationDate: isoDate(createdAt) },
  };
}

export const volumeVerbs: Readonly<Record<string, Verb>> = {
  "volume create": async ({ store, clock }, args) => {
    const parsed = parseArguments("volume create", CREATE, args);
    const [name = ""] = parsed.words;
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/.test(name))
      throw new Refusal(`invalid volume name '${name}': must match …`);
    const size = valueOf(parsed, "-s");
    const labels = labelsOf(allOf(parsed, "--label"));
    const sizeBytes = size === undefined ? DEFAULT_BYTES : sizeOf(size);
    await store.update((draft) => {
      if (draft.volumes[name] !== undefined) throw new Refusal(`volume '${name}' already exists`);
      draft.volumes[name] = { name, labels, sizeBytes, createdAt: clock.now() };
      draft.changes += 1;
    });
    return lines(name);
  },
  "volume delete": async (machine, args) => {
    const { words } = parseArguments("volume delete", { options: [{ names: ["-a", "--all"] }], needs: ["name"] }, args);
    await machine.store.update((draft) => {
      const missing = words.filter((name) => draft.volumes[name] === undefined);
      if (missing.length > 0) throw new Refusal(`failed to delete one or more volumes: ${JSON.stringify(missing)}`);
      const mounted = Object.values(draft.containers).flatMap(({ mounts }) => mounts.map(({ source }) => source));
      const used = words.filter((name) => mounted.includes(name));
      if (used.length > 0) throw new Refusal(`delete failed for one or more volumes: ${JSON.stringify(used)}`);
      for (const name of words) {
        delete draft.volumes[name];
        rmSync(volumeDirectory(machine, name), { recursive: true, force: true });
      }
      draft.changes += 1;
    });
    return lines(...words);
  },
  "volume list": async ({ store, escapeSlashes }, args) => {
    const parsed = parseArguments("volume list", LIST, args);
    const volumes = Object.values((await store.read()).volumes);
    if (allOf(parsed, "--quiet").length > 0) return lines(...volumes.map(({ name }) => name));
    return printed(compact(volumes.map(element), escapeSlashes));
  },
  "volume inspect": async ({ store }, args) => {
    const { words } = parseArguments("volume inspect", { options: [], needs: ["name"] }, args);
    const { volumes } = await store.read();
    const found = words.map((name) => {
      const volume = volumes[name];
      if (volume === undefined) throw new Refusal(`volume not found: ${name}`);
      return volume;
    });
    return printed(pretty(found.map(element)));
  },
};
