// Started by import-time.ts: prints how many milliseconds the import of its argument took, and how many of the processor.
const specifier = process.argv[2] ?? "";
const spent = process.cpuUsage();
const begun = performance.now();
await import(specifier);
const wall = performance.now() - begun;
const { user, system } = process.cpuUsage(spent);
process.stdout.write(JSON.stringify({ wall, cpu: (user + system) / 1000 }));
