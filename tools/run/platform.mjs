// Which machines can develop Slipway, and with whose Node.

/** Below this, this program itself does not run. */
const STARTS_ON = [20, 0];
/** What the tools (tsup, vitest) need where npm does not bring a Node of its own. */
const TOOLS_NEED = [24, 11];
/** The npm packages node-linux-* hold glibc builds of these. */
const BROUGHT_BY_NPM = new Set(["linux x64", "linux arm64"]);

/** What this machine is: read once, so that the judgement below is a pure function. */
export function readPlatform() {
  // Listing the network interfaces in the report resolves host names and can take seconds.
  process.report.excludeNetwork = true;
  const glibc = process.platform === "linux" && Boolean(process.report.getReport().header.glibcVersionRuntime);
  return { platform: process.platform, arch: process.arch, glibc, node: process.versions.node };
}

/** Whether the work can start here. `node` says whose Node 24 will run it. */
export function judge({ platform, arch, glibc, node }) {
  if (!atLeast(node, STARTS_ON)) return refusal(`Slipway needs Node 20 or newer to set itself up; this is ${node}.`);
  if (glibc && BROUGHT_BY_NPM.has(`${platform} ${arch}`)) return { ok: true, node: "npm" };
  if (atLeast(node, TOOLS_NEED)) return { ok: true, node: "own" };
  const where = platform === "linux" && !glibc ? `${platform} ${arch} without glibc` : `${platform} ${arch}`;
  return refusal(
    `On ${where} npm brings no Node 24: install Node ${TOOLS_NEED.join(".")} or newer yourself; this is ${node}.`,
  );
}

function atLeast(version, [major, minor]) {
  const [ownMajor = 0, ownMinor = 0] = version.split(".").map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

export function toolsNeed(version) {
  return atLeast(version, TOOLS_NEED);
}

function refusal(message) {
  return { ok: false, message };
}
