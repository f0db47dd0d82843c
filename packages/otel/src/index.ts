export { type CountedPlan, type CountedPool, type MeterOptions, type Telemetry, telemetry } from "./metrics.ts";
export { addSpanEvent, type SpanOptions, spanLayer, traced } from "./spans.ts";
