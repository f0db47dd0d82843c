import * as z from "zod/mini";

const absent = <T extends z.ZodMiniType>(schema: T) =>
  z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? undefined),
  );
const text = z.string();

const failure = z.object({
  error: z.object({
    message: absent(text),
    status: absent(text),
    errors: absent(z.array(z.object({ reason: absent(text), message: absent(text) }))),
    details: absent(z.array(z.object({ "@type": absent(text), reason: absent(text) }))),
  }),
});

/** What a failed request says: machine-readable reasons, the most exact first. Undefined for any other body. */
export function wireFailure(
  json: unknown,
): { readonly reasons: readonly string[]; readonly message?: string } | undefined {
  const parsed = failure.safeParse(json);
  if (!parsed.success) return undefined;
  const { message, status, errors = [], details = [] } = parsed.data.error;
  const infos = details.filter((detail) => detail["@type"]?.endsWith("google.rpc.ErrorInfo") === true);
  const reasons = [...infos, ...errors].flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  return {
    reasons: status === undefined ? reasons : [...reasons, status],
    ...(message === undefined ? {} : { message }),
  };
}
