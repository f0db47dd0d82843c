/** Builds what a program needs before it is started, and nothing else. */
export const build = (...filters) => ({ title: "build", turbo: ["build"], filters, quiet: true });
