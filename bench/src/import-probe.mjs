// Started by import-time.ts: prints how many milliseconds the import of its argument took.
const specifier = process.argv[2] ?? "";
const begun = performance.now();
await import(specifier);
process.stdout.write(String(performance.now() - begun));
