export { isOneOf, matcherOf } from "./matches-filter.ts";
