export { type Answers, CreateError } from "./answers.ts";
export { CAPABILITIES } from "./capabilities.ts";
export { main } from "./main.ts";
export { writePackage } from "./write-package.ts";
