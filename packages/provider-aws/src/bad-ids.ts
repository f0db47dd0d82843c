const ROUNDS = 3;

/**
 * Asks for many ids where one that is refused fails all: those that the refusal names are settled and the rest is asked
 * again, a few times; then halves, so that the others never pay for a refusal that names nobody.
 */
export async function withoutBadIds(
  ids: readonly string[],
  work: {
    readonly ask: (ids: readonly string[]) => Promise<void>;
    /** The ids that a refusal is about; null if it is about something else, and fails all. */
    readonly badIn: (error: unknown) => readonly string[] | null;
    readonly onBad: (id: string, error: unknown) => void;
  },
): Promise<void> {
  let rest = ids;
  for (let round = 0; round < ROUNDS && rest.length > 0; round += 1) {
    const error = await refusalOf(work.ask, rest);
    if (error === null) return;
    const named = work.badIn(error.thrown);
    if (named === null) throw error.thrown;
    const bad = rest.length === 1 ? rest : rest.filter((id) => named.includes(id));
    if (bad.length === 0) break;
    for (const id of bad) work.onBad(id, error.thrown);
    rest = rest.filter((id) => !bad.includes(id));
  }
  if (rest.length === 0) return;
  const middle = Math.ceil(rest.length / 2);
  await withoutBadIds(rest.slice(0, middle), work);
  await withoutBadIds(rest.slice(middle), work);
}

async function refusalOf(
  ask: (ids: readonly string[]) => Promise<void>,
  ids: readonly string[],
): Promise<{ readonly thrown: unknown } | null> {
  try {
    await ask(ids);
    return null;
  } catch (thrown) {
    return { thrown };
  }
}
