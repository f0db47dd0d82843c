/** What the command knew when it failed: for the last lines of its report, and for a program that reads its JSON. */
export interface FailureContext {
  /** The key that the user gave, or that was made for them. */
  key?: string;
  /** The instance, once it is there. */
  id?: string;
  /** A command that shows what is there. */
  look?: string;
}
