import type { Operation, Pacing, Runtime } from "@slipway/core";
import type { HttpAnswer } from "./answer.ts";
import type { AnswerMeaning } from "./answer-meaning.ts";

/** How one account of one HTTP API is spoken to. */
export interface HttpClientOptions {
  readonly provider: string;
  /** Paths are resolved below it, whether it ends with `/` or not. */
  readonly baseUrl: string;
  /** Whose budget the calls draw on: anything that tells two accounts apart, but not the credential itself. */
  readonly account: string;
  /** Headers with the credential, for example `authorization`. Made anew for each try; they are never logged. */
  readonly credentials: () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
  /** The credential was refused: the next `credentials()` gets another. The call is then sent once more. */
  readonly renew?: (() => void) | undefined;
  /** Texts that must not show anywhere: the credential. */
  readonly secrets: () => readonly string[];
  readonly userAgent: string;
  /** The provider's own table: what an answer that is no success means; undefined for what it does not list. */
  readonly meaningOf: (answer: HttpAnswer, operation: Operation) => AnswerMeaning | undefined;
  /**
   * Are these the remote's own, documented words that the thing is not there? Nothing else is believed to say so: a gateway
   * and a wrong base address answer 404, too. Absent: only `meaningOf` with a native code makes a NOT_FOUND.
   */
  readonly isNotFound?: ((answer: HttpAnswer) => boolean) | undefined;
  readonly runtime?: Partial<Runtime> | undefined;
  readonly limits: Pacing;
  /** One try, milliseconds; 30 s if absent. */
  readonly timeoutMs?: number | undefined;
  /** 10 MiB if absent. */
  readonly maxAnswerBytes?: number | undefined;
  /** How often in all a call is tried where that is safe; 4 if absent. */
  readonly attempts?: number | undefined;
}
