import { lines, printed, Refusal } from "./answer.ts";
import { allOf, parseArguments, type VerbSpec } from "./arguments.ts";
import { digestOf, normalised, REGISTRY, repositoryOf } from "./image-reference.ts";
import { compact, isoDate, pretty } from "./json.ts";
import type { Machine } from "./machine.ts";
import type { MachineState } from "./state.ts";
import type { Verb } from "./verb.ts";

export const PROGRESS: readonly string[] = ["auto", "none", "ansi", "plain", "color"];
const FORMATS: readonly string[] = ["json", "table", "yaml", "toml"];

/** On this machine when it resolves; takes the time of a pull if it was not. */
export async function fetchImage(machine: Machine, given: string): Promise<string> {
  const reference = normalised(given);
  const state = await machine.store.read();
  if (state.images.includes(reference)) return reference;
  await machine.clock.sleep(state.delays.pullMs);
  if (!isPublished(state, reference)) {
    const path = repositoryOf(reference).replace(/^docker\.io\//, "");
    throw new Refusal(
      `HTTP request to https://registry-1.docker.io/v2/${path}/manifests/latest failed with response: 401 Unauthorized. ` +
        "Reason: access denied or wrong credentials, no credentials found for host registry-1.docker.io",
    );
  }
  await machine.store.update((draft) => {
    if (!draft.images.includes(reference)) draft.images = [...draft.images, reference].sort();
  });
  return reference;
}

function isPublished({ published }: MachineState, reference: string): boolean {
  return published.includes(reference) || REGISTRY.includes(repositoryOf(reference));
}

const PULL: VerbSpec = {
  options: [
    { names: ["--progress"], value: PROGRESS },
    { names: ["--scheme"], value: "text" },
    { names: ["--platform"], value: "text" },
    { names: ["-a", "--arch"], value: "text" },
    { names: ["--os"], value: "text" },
    { names: ["--max-concurrent-downloads"], value: "int" },
    { names: ["--debug"] },
  ],
  needs: ["reference"],
  most: 1,
};
const LIST: VerbSpec = {
  options: [{ names: ["--format"], value: FORMATS }, { names: ["-q", "--quiet"] }, { names: ["-v", "--verbose"] }],
  most: 0,
};
const DELETE: VerbSpec = { options: [{ names: ["-a", "--all"] }, { names: ["-f", "--force"] }] };

function imageElement(reference: string): object {
  const digest = digestOf(reference);
  const descriptor = { digest: `sha256:${digest}`, mediaType: "application/vnd.oci.image.index.v1+json", size: 9218 };
  return {
    id: digest,
    configuration: { creationDate: isoDate(0), descriptor, name: reference },
    variants: [
      {
        config: {
          architecture: "arm64",
          os: "linux",
          config: { Cmd: ["/bin/sh"] },
          rootfs: { type: "layers", diff_ids: [] },
        },
        digest: `sha256:${digestOf(digest)}`,
        platform: { architecture: "arm64", os: "linux", variant: "v8" },
        size: 4_200_000,
      },
    ],
  };
}

export const imageVerbs: Readonly<Record<string, Verb>> = {
  "image pull": async (machine, args) => {
    const { words } = parseArguments("image pull", PULL, args);
    await fetchImage(machine, words[0] ?? "");
    return printed("");
  },
  "image list": async ({ store, escapeSlashes }, args) => {
    parseArguments("image list", LIST, args);
    return printed(compact((await store.read()).images.map(imageElement), escapeSlashes));
  },
  "image inspect": async ({ store }, args) => {
    const { words } = parseArguments("image inspect", { options: [], needs: ["reference"] }, args);
    const { images } = await store.read();
    const missing = words.filter((word) => !images.includes(normalised(word)));
    if (missing.length > 0) throw new Refusal(`image not found: ${missing.join(", ")}`);
    return printed(pretty(words.map((word) => imageElement(normalised(word)))));
  },
  "image delete": async ({ store }, args) => {
    const parsed = parseArguments("image delete", DELETE, args);
    return await store.update((draft) => {
      const missing = parsed.words.filter((word) => !draft.images.includes(normalised(word)));
      if (missing.length > 0 && allOf(parsed, "--force").length === 0) {
        throw new Refusal(`failed to delete one or more images: ${JSON.stringify(missing)}`);
      }
      draft.images = draft.images.filter((image) => !parsed.words.map(normalised).includes(image));
      return lines(...parsed.words);
    });
  },
};
