import { renderTable, runConformance } from "@slipway/contract-tests";
import { harness } from "./harness.ts";

export async function conforms(): Promise<boolean> {
  const report = await runConformance(harness);
  process.stdout.write(renderTable(report));
  return report.passed;
}
