import { inspect } from "node:util";
import { isProviderError, type ProviderError } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { must, settled } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { otherSpec } from "../same-key.ts";
import { provokedErrors } from "./errors.ts";

const TOKEN = "tok-c0ntract-5ecret";
const USER_DATA = "user-data-c0ntract-5ecret";
const VALUE = "env-c0ntract-5ecret";
const BOOTSTRAP = {
  script: `: ${USER_DATA}\nexit 0`,
  environment: { PASSWORD: VALUE },
  registrationToken: TOKEN,
} as const;
const OFTEN = 50;

export const redactionRules: Rules<"SECRET"> = {
  "SECRET-01": "No secret, token or user data stands in an error's message or properties.",
  "SECRET-02": "No secret, token or user data stands in a log line, an event or an argument list.",
  "SECRET-03": "No token and no user data stands in what a call answers.",
};

/** Where secrets must not show. */
export const redactionCases: Cases<"redaction"> = {
  "redaction.errors": {
    title: "shows no secret in an error",
    rules: ["SECRET-01"],
    run: async (context) => {
      const errors = [...(await provokedErrors(context)), ...(await failuresWithSecrets(context))];
      for (const error of errors) mustHide(context, "SECRET-01", visible(error), `${error.code} of ${error.operation}`);
    },
  },
  "redaction.transcript": {
    title: "shows no secret in a log line or an event",
    rules: ["SECRET-02"],
    needs: ["transcript"],
    run: async (context) => {
      await context.spawn(bootstrapWhere(context));
      await failuresWithSecrets(context);
      mustHide(context, "SECRET-02", context.harness.transcript?.() ?? "", "the transcript");
    },
  },
  "redaction.answers": {
    title: "shows no token and no user data in what calls answer",
    rules: ["SECRET-03"],
    run: async (context) => {
      const { spawn, provider } = context;
      const spawned = await spawn(bootstrapWhere(context));
      const seen = [spawned, await provider.get(spawned.id), await provider.list()];
      mustHide(context, "SECRET-03", JSON.stringify(seen), "an answer");
    },
  },
};

function bootstrapWhere({ subject }: CaseContext): object {
  return subject.refuses.bootstrap === undefined ? { bootstrap: BOOTSTRAP } : {};
}

/** Spawns that fail though, or because, their bootstrap holds secrets. */
async function failuresWithSecrets(context: CaseContext): Promise<readonly ProviderError[]> {
  const { provider, subject, request, spawn, harness } = context;
  if (subject.refuses.bootstrap !== undefined) return [];
  const found: ProviderError[] = [];
  const provoke = async (call: () => Promise<unknown>): Promise<void> => {
    const outcome = await settled(call);
    if (!outcome.ok && isProviderError(outcome.error)) found.push(outcome.error);
  };
  const rendered = subject.generateBootstrap(BOOTSTRAP);
  await provoke(() => subject.spawn(request({ bootstrap: { ...rendered, checksum: TOKEN } })));
  await provoke(() => subject.spawn(request({ bootstrap: { ...BOOTSTRAP, script: `${USER_DATA}\0` } })));
  const options = request({ bootstrap: BOOTSTRAP });
  await spawn(options);
  const other = await settled(async () => otherSpec(context));
  if (other.ok) await provoke(() => provider.spawn({ ...other.value, bootstrap: BOOTSTRAP, key: options.key }));
  for (const code of ["AUTH_ERROR", "INVALID_SPEC", "UNAVAILABLE"] as const) {
    const fault = { operation: "spawn", when: "before", code } as const;
    if (harness.faults?.supports(fault) !== true) continue;
    context.fault({ ...fault, times: OFTEN });
    await provoke(() => provider.spawn(request({ bootstrap: BOOTSTRAP })));
    harness.faults.clear();
  }
  return found;
}

/** All of an error that a log would show: message, JSON and own properties, without cause and stack. */
function visible(error: ProviderError): string {
  const own = Object.entries(error).filter(([name]) => name !== "cause" && name !== "stack");
  return [error.message, JSON.stringify(error), inspect(Object.fromEntries(own), { depth: 8 })].join("\n");
}

function mustHide(
  { harness }: CaseContext,
  rule: "SECRET-01" | "SECRET-02" | "SECRET-03",
  text: string,
  where: string,
): void {
  const kinds = { "the registration token": TOKEN, "user data": USER_DATA, "an environment value": VALUE };
  const planted = Object.entries(kinds).filter(([, secret]) => text.includes(secret));
  const own = harness.secrets.filter((secret) => secret !== "" && text.includes(secret));
  const found = [...planted.map(([kind]) => kind), ...own.map(() => "one of the harness's secrets")];
  must(found.length === 0, rule, `${where} shows ${found.join(" and ")}`, "Say what failed, not what was sent.");
}
