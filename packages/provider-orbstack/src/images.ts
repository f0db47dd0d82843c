/** A Linux of OrbStack's, by the words that `create` takes. */
export interface ImageSpec {
  readonly distro: string;
  readonly version?: string | undefined;
  readonly arch?: "arm64" | "amd64" | undefined;
}

// What `create` calls it, and what the answers call it.
const DISTROS: ReadonlyMap<string, string> = new Map([
  ["arch", "archlinux"],
  ["void", "voidlinux"],
]);
const TYPED: ReadonlyMap<string, string> = new Map([...DISTROS].map(([typed, canonical]) => [canonical, typed]));

// By number, and by the code name that the answers have.
const VERSIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ubuntu: { "22.04": "jammy", "24.04": "noble", "25.10": "questing", "26.04": "resolute" },
  debian: { "11": "bullseye", "12": "bookworm", "13": "trixie" },
};
const WORD = /^[a-z0-9][a-z0-9._-]{0,62}$/i;

/** `distro[:version][:arch]`, as `ubuntu:24.04:arm64`, by either kind of names. Null for anything else. */
export function parseImage(text: string): ImageSpec | null {
  const [distro = "", second, third, ...more] = text.split(":");
  if (more.length > 0 || ![distro, second ?? "x", third ?? "x"].every((word) => WORD.test(word))) return null;
  // `alpine:amd64`: what cannot be a version is no version.
  const [version, arch] = isArch(second) && third === undefined ? [undefined, second] : [second, third];
  if (arch !== undefined && !isArch(arch)) return null;
  const typed = TYPED.get(distro) ?? distro;
  return { distro: typed, version, arch };
}

function isArch(word: string | undefined): word is "arm64" | "amd64" {
  return word === "arm64" || word === "amd64";
}

/** The one text for all ways to write the same image: it is what specs are compared by. */
export function canonicalImage({ distro, version, arch }: ImageSpec): string {
  const canonical = version === undefined ? undefined : (VERSIONS[distro]?.[version] ?? version);
  return [DISTROS.get(distro) ?? distro, canonical, arch].filter((word) => word !== undefined).join(":");
}

/** What `create` takes: distribution and version in one word. */
export function imageWord({ distro, version }: ImageSpec): string {
  return version === undefined ? distro : `${distro}:${version}`;
}

/** An image of an answer, as `spawn({ image })` takes it. */
export function imageText(image: { readonly distro: string; readonly version: string; readonly arch: string }): string {
  const { distro, version, arch } = image;
  return [TYPED.get(distro) ?? distro, version, arch].filter((word) => word !== "").join(":");
}
