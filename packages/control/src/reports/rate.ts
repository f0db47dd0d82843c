const BURST = 20;
const EVERY_MS = 3000;
const MOST_KNOWN = 10_000;

/** How many milliseconds a sender must wait: 0 if it may go on. One that sends too much keeps nobody else waiting. */
export type Rate = (sender: string, now: number) => number;

/** A burst, then one in three seconds, for each sender. Whoever was quiet longest is forgotten first. */
export function senderRate(): Rate {
  const known = new Map<string, { readonly left: number; readonly at: number }>();
  return (sender, now) => {
    const { left, at } = known.get(sender) ?? { left: BURST, at: now };
    // A clock that is set back gives nothing, and takes nothing.
    const have = Math.min(BURST, left + Math.max(0, now - at) / EVERY_MS);
    known.delete(sender);
    known.set(sender, { left: have < 1 ? have : have - 1, at: now });
    if (known.size > MOST_KNOWN) {
      const [first] = known.keys();
      if (first !== undefined) known.delete(first);
    }
    return have < 1 ? Math.ceil((1 - have) * EVERY_MS) : 0;
  };
}
