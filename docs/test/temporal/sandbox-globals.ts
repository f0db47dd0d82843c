import { AsyncLocalStorage } from "node:async_hooks";

// Temporal's worker puts it there before it reads any code of a workflow: without it no scope would know that it is one.
Object.assign(globalThis, { AsyncLocalStorage });
