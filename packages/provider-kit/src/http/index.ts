export { REDACTED, redact } from "../redact.ts";
export type { HttpAnswer } from "./answer.ts";
export type { AnswerMeaning } from "./answer-meaning.ts";
export { connectionCode, neverSent } from "./connection-failure.ts";
export { bearerToken, type Credential, type CredentialSource, credentialOf } from "./credential.ts";
export { errorRows, errorTable, type HttpErrorRow, type NativeFailure, type WrittenRow } from "./error-table.ts";
export type { HttpCall } from "./http-call.ts";
export { type HttpClient, httpClient } from "./http-client.ts";
export type { HttpClientOptions } from "./http-client-options.ts";
