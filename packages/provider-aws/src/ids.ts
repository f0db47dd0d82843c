/** What of the context these functions read. */
interface Configured {
  readonly regions: readonly [string, ...string[]];
}

// `us-gov-west-1`, `ap-southeast-3`.
const COMPOSED = /^([a-z]{2,4}(?:-[a-z]+){1,3}-\d{1,2})\/(.+)$/;

/** `eu-west-1/i-0abc…`: EC2's own ids mean something only in their region. */
export function composeId(region: string, nativeId: string): string {
  return `${region}/${nativeId}`;
}

/** An id's parts; no region for a bare native id. */
export function splitId(id: string): { readonly region: string | undefined; readonly nativeId: string } {
  const [, region, nativeId] = COMPOSED.exec(id) ?? [];
  return region === undefined || nativeId === undefined ? { region: undefined, nativeId: id } : { region, nativeId };
}

export function nativeIdOf(id: string): string {
  return splitId(id).nativeId;
}

/** Where an id can be: its own region, or every configured one for a bare native id. */
export function regionsOf({ regions }: Configured, id: string): readonly string[] {
  const { region } = splitId(id);
  return region === undefined ? regions : [region];
}

/** The first answer that is not null, region after region. */
export async function inRegions<T>(
  context: Configured,
  id: string,
  look: (region: string) => Promise<T | null>,
): Promise<T | null> {
  for (const region of regionsOf(context, id)) {
    const found = await look(region);
    if (found !== null) return found;
  }
  return null;
}
