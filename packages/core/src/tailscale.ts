/** Puts the instance on a tailnet without an agent in the bootstrap. */
export interface TailscaleOptions {
  /** A secret: it never reaches a message, a log or an argument list. */
  readonly authKey: string;
  readonly hostname?: string | undefined;
  readonly tags?: readonly string[] | undefined;
}
