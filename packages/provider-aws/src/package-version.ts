// Written from package.json by tools/versions.mjs when a release is made.
export const VERSION = "0.1.0";
