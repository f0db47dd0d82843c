import { CAPABILITIES } from "./capabilities.ts";

/** All that decides what is written. */
export interface Answers {
  /** The provider's name, as `my-cloud`. */
  readonly name: string;
  /** The package's name, as `slipway-provider-my-cloud`. */
  readonly packageName: string;
  readonly transport: "http" | "cli";
  readonly capabilities: readonly string[];
  /** Where it is written; it must be empty or not there. */
  readonly directory: string;
}

/** What the words of the command line say; whatever is not said is absent. */
export interface Given {
  readonly name?: string | undefined;
  readonly transport?: string | undefined;
  readonly capabilities?: string | undefined;
  readonly package?: string | undefined;
  readonly directory?: string | undefined;
  readonly yes?: boolean | undefined;
}

/** Something that the user gave, or that stands in the way. */
export class CreateError extends Error {
  override readonly name: string = "CreateError";
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const PACKAGE_NAME = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/;
// These are words of the language, or stand in the template already.
const TAKEN: ReadonlySet<string> = new Set([
  ...["slipway", "provider", "register", "default", "new", "class", "function", "import", "export", "delete", "switch"],
  ...["case", "break", "return", "const", "let", "var", "if", "else", "for", "while", "do", "in", "of", "this", "null"],
  ...["true", "false", "void", "with", "yield", "await", "enum", "super", "static", "try", "catch", "throw", "typeof"],
  ...[
    "memory",
    "local",
    "orbstack",
    "apple-container",
    "lambda",
    "runpod",
    "slurm",
    "kubernetes",
    "coreweave",
    "gcp",
    "aws",
    "package",
    "private",
    "public",
  ],
]);

export function checkedName(name: string): string {
  if (!NAME.test(name) || name.length > 40) {
    throw new CreateError(
      "INVALID_NAME",
      `${JSON.stringify(name)} is no name for a provider`,
      "Take a-z, 0-9 and dashes, as my-cloud.",
    );
  }
  if (TAKEN.has(name)) throw new CreateError("INVALID_NAME", `the name ${name} is taken`, "Take another, as my-cloud.");
  return name;
}

export function checkedPackageName(name: string): string {
  if (PACKAGE_NAME.test(name) && name.length <= 214) return name;
  throw new CreateError(
    "INVALID_PACKAGE",
    `${JSON.stringify(name)} is no name for a package`,
    "Take one as npm does: slipway-provider-my-cloud, or @acme/my-cloud.",
  );
}

export function checkedTransport(transport: string): Answers["transport"] {
  if (transport === "http" || transport === "cli") return transport;
  throw new CreateError("INVALID_TRANSPORT", `the transport is http or cli, and not ${JSON.stringify(transport)}`);
}

/** `gpu,multiRegion`; empty for none. In the contract's order, each once. */
export function checkedCapabilities(text: string): readonly string[] {
  const wanted = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  for (const name of wanted) {
    const row = CAPABILITIES.find((one) => one.name === name);
    const offered = CAPABILITIES.filter((one) => one.offered)
      .map((one) => one.name)
      .join(", ");
    if (row === undefined)
      throw new CreateError(
        "INVALID_CAPABILITY",
        `there is no capability ${JSON.stringify(name)}`,
        `Known here: ${offered}.`,
      );
    if (!row.offered) {
      throw new CreateError(
        "INVALID_CAPABILITY",
        `there is no template for ${name}`,
        `Leave it out, and write it once the package stands. Known here: ${offered}.`,
      );
    }
  }
  return CAPABILITIES.map(({ name }) => name).filter((name) => wanted.includes(name));
}
