import type { Arch } from "./state.ts";

// By the word that `create` takes: the distribution's name in the answers, and its versions by number and by code name.
const IMAGES: Readonly<Record<string, { readonly canonical?: string; readonly versions: readonly string[] }>> = {
  alma: { versions: ["9", "10", "8"] },
  alpine: { versions: ["3.22", "3.21", "3.20", "edge"] },
  arch: { canonical: "archlinux", versions: ["current"] },
  centos: { versions: ["10-Stream", "9-Stream"] },
  debian: { versions: ["bookworm/12", "trixie/13", "bullseye/11"] },
  devuan: { versions: ["daedalus"] },
  fedora: { versions: ["44", "43", "42"] },
  gentoo: { versions: ["current"] },
  kali: { versions: ["current"] },
  nixos: { versions: ["25.05"] },
  openeuler: { versions: ["24.03"] },
  opensuse: { versions: ["tumbleweed", "15.6"] },
  oracle: { versions: ["9", "8"] },
  rocky: { versions: ["9", "10", "8"] },
  ubuntu: { versions: ["resolute/26.04", "questing/25.10", "noble/24.04", "jammy/22.04"] },
  void: { canonical: "voidlinux", versions: ["current"] },
};

export interface FoundImage {
  readonly distro: string;
  readonly version: string;
}

/** What `DISTRO[:VERSION]` means; null where there is no such image. The first version is the default. */
export function imageFor(word: string): FoundImage | null {
  const [distro = "", asked] = word.split(":");
  const row = Object.hasOwn(IMAGES, distro) ? IMAGES[distro] : undefined;
  if (row === undefined) return null;
  const version = row.versions.find((each) => asked === undefined || each.split("/").includes(asked));
  if (version === undefined) return null;
  return { distro: row.canonical ?? distro, version: version.split("/")[0] ?? version };
}

export function isArch(word: string): word is Arch {
  return word === "arm64" || word === "amd64";
}
