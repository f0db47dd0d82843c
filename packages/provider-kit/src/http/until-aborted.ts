/** Waits for what may mind no signal: the caller's own time ends the wait all the same. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const gaveUp = Promise.withResolvers<never>();
  const onAbort = (): void => gaveUp.reject(new Error("aborted"));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, gaveUp.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
