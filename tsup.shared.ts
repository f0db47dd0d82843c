import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Options } from "tsup";

/**
 * What a package that checks data with zod/mini adds to its build: the part of zod that it uses goes into its own file. As a
 * package zod is 95 files, which cost a program more at every start than all the rest (ADR 0041).
 */
export const partOfZod: Pick<Options, "noExternal" | "onSuccess"> = {
  noExternal: [/^zod\/(mini|v4)/],
  // Whoever passes zod on passes its licence on.
  onSuccess: async () => {
    await copyFile(join("node_modules", "zod", "LICENSE"), join("dist", "zod.LICENSE"));
  },
};
