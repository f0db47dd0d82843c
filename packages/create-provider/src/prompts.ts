import { CreateError, checkedName, type Given } from "./answers.ts";
import { CAPABILITIES } from "./capabilities.ts";

/** Asks for what the command line leaves open. Null: the user pressed Ctrl-C. */
export async function ask(given: Given): Promise<Given | null> {
  // Loaded here: with --yes nobody is asked.
  const { isCancel, multiselect, select, text } = await import("@clack/prompts");
  const name =
    given.name ?? (await text({ message: "The provider's name", placeholder: "my-cloud", validate: faultOf }));
  if (isCancel(name)) return null;
  const transport =
    given.transport ??
    (await select({
      message: "How is the remote reached?",
      options: [
        { value: "http", label: "http", hint: "an API" },
        { value: "cli", label: "cli", hint: "a program" },
      ],
    }));
  if (isCancel(transport)) return null;
  if (given.capabilities !== undefined) return { ...given, name, transport };
  const chosen = await multiselect({
    message: "What can it beyond the core methods?",
    required: false,
    options: CAPABILITIES.filter((one) => one.offered).map((one) => ({
      value: one.name,
      label: one.name,
      hint: one.about,
    })),
  });
  if (isCancel(chosen)) return null;
  return { ...given, name, transport, capabilities: chosen.join(",") };
}

function faultOf(name: string | undefined): string | undefined {
  try {
    checkedName(name ?? "");
    return undefined;
  } catch (error) {
    if (error instanceof CreateError) return `${error.message}. ${error.hint ?? ""}`;
    throw error;
  }
}
