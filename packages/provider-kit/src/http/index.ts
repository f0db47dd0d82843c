export type { HttpAnswer } from "./answer.ts";
export {
  type AnswerMeaning,
  type HttpCall,
  type HttpClient,
  type HttpClientOptions,
  httpClient,
} from "./http-client.ts";
