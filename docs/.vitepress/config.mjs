import { defineConfig } from "vitepress";

const guides = [
  ["Getting started", "/getting-started"],
  ["The first hour", "/first-hour"],
  ["A control-plane loop", "/guide/control-plane-loop"],
  ["Never lose an instance", "/guide/never-lose-an-instance"],
  ["Chaos in your tests", "/guide/chaos"],
  ["Choosing a placement", "/guide/placement"],
  ["What it costs, and how it ends", "/guide/costs-and-ends"],
  ["Several machines", "/guide/several-machines"],
  ["Workflows on engines", "/guide/workflows-on-engines"],
  ["Workflows on Temporal", "/guide/workflows-on-temporal"],
  ["Telemetry", "/guide/telemetry"],
  ["Clusters", "/guide/clusters"],
  ["Writing a provider", "/guide/writing-a-provider"],
  ["When the contract changes", "/guide/contract-changes"],
  ["Architecture", "/guide/architecture"],
];
const providers = [
  "local",
  "memory",
  "orbstack",
  "apple-container",
  "lambda",
  "runpod",
  "slurm",
  "kubernetes",
  "coreweave",
  "gcp",
  "aws",
];
const reference = [
  ["What each provider can do", "/reference/capabilities"],
  ["Compared", "/reference/comparison"],
  ["Errors", "/reference/errors"],
  ["The contract", "/reference/contract"],
  ["The command", "/reference/command"],
  ["Messages", "/reference/messages"],
];
const item = ([text, link]) => ({ text, link });

export default defineConfig({
  title: "Slipway",
  description: "Compute instances on any provider, through one typed contract.",
  srcExclude: ["README.md"],
  cleanUrls: true,
  // TypeDoc's pages come after; the build checks links to them itself.
  ignoreDeadLinks: [/^\/api\//],
  themeConfig: {
    nav: [
      { text: "Guides", link: "/getting-started" },
      { text: "Providers", link: "/providers/local" },
      { text: "Reference", link: "/reference/capabilities" },
      { text: "API", link: "/api/index.html", target: "_self" },
    ],
    sidebar: [
      { text: "Guides", items: guides.map(item) },
      { text: "Providers", items: providers.map((name) => ({ text: name, link: `/providers/${name}` })) },
      { text: "Reference", items: reference.map(item) },
    ],
    search: { provider: "local" },
    outline: [2, 3],
  },
});
