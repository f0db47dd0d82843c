import { type Attributes, context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { isProviderError, type Layer, layer, type RuntimeEvent } from "@slipway/core";

export const NAME = "@slipway/otel";

export interface SpanOptions {
  /** The one of the registered provider if absent. */
  readonly tracer?: Tracer | undefined;
}

/**
 * A layer that makes a span of each call, which is the active one while the call runs: what the provider does inside, as its
 * HTTP requests, nests in it. Use it as the outermost layer of `compose`.
 *
 * @example
 * ```ts
 * import { compose } from "@slipway/control";
 *
 * await compose(provider, spanLayer()).list();
 * ```
 */
export function spanLayer(options: SpanOptions = {}): Layer {
  return layer(({ provider, operation, args }, next) => {
    const attributes = { "slipway.provider": provider, "slipway.operation": operation, ...aboutArgument(args[0]) };
    return inSpan(tracerOf(options), `${provider} ${operation}`, attributes, next);
  });
}

/**
 * Runs `launch`, `runWorkflow` or anything else in a span of its own: their calls have spans by the layer, and they have none.
 * `await traced("launch", { "slipway.key": key }, () => launch(…))`
 *
 * @example
 * ```ts
 * const instances = await traced("nightly check", { "team": "a" }, () => provider.list());
 * ```
 */
export function traced<T>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  options: SpanOptions = {},
): Promise<T> {
  return spanned(tracerOf(options), name, attributes, SpanKind.INTERNAL, work);
}

/**
 * Puts what has no span of its own on the active one: waits, placements, an instance that was there before.
 *
 * @example
 * ```ts
 * export const runtime = { onEvent: addSpanEvent };
 * ```
 */
export function addSpanEvent(event: RuntimeEvent): void {
  // These two are the layer's spans; the words of a command may hold anything.
  if (event.type === "call.start" || event.type === "call.end" || event.type === "command.run") return;
  const { type, at: _at, ...fields } = event;
  const attributes = Object.entries(fields).map(([name, value]) => [`slipway.${name}`, value]);
  trace.getActiveSpan()?.addEvent(`slipway.${type}`, Object.fromEntries(attributes));
}

function tracerOf({ tracer }: SpanOptions): Tracer {
  return tracer ?? trace.getTracer(NAME);
}

function inSpan(tracer: Tracer, name: string, attributes: Attributes, next: () => unknown): unknown {
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes });
  let result: unknown;
  try {
    result = context.with(trace.setSpan(context.active(), span), next);
  } catch (error) {
    fail(span, error);
    throw error;
  }
  if (result instanceof Promise) return settled(span, result);
  // A script, or a stream whose reader decides when it ends.
  span.end();
  return result;
}

async function spanned<T>(
  tracer: Tracer,
  name: string,
  attributes: Attributes,
  kind: SpanKind,
  work: () => Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(name, { kind, attributes });
  return settled(span, context.with(trace.setSpan(context.active(), span), work));
}

async function settled<T>(span: Span, work: Promise<T>): Promise<T> {
  try {
    const result = await work;
    span.setAttributes(aboutResult(result));
    span.end();
    return result;
  } catch (error) {
    fail(span, error);
    throw error;
  }
}

function fail(span: Span, error: unknown): void {
  const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined;
  const type = typeof code === "string" ? code : error instanceof Error ? error.name : "unknown";
  span.setAttribute("error.type", type);
  if (isProviderError(error)) span.setAttribute("slipway.effect", error.effect);
  // No message: it is for a person, and a trace is kept by others.
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** An id, or options with a key. Nothing else of them: they may hold secrets. */
function aboutArgument(argument: unknown): Attributes {
  if (typeof argument === "string") return { "slipway.instance.id": argument };
  const key: unknown = typeof argument === "object" && argument !== null ? Reflect.get(argument, "key") : undefined;
  return typeof key === "string" ? { "slipway.key": key } : {};
}

function aboutResult(result: unknown): Attributes {
  if (typeof result !== "object" || result === null) return {};
  const { id, region, spec, owner } = Object.fromEntries(Object.entries(result));
  return {
    ...(typeof id === "string" ? { "slipway.instance.id": id } : {}),
    ...(typeof owner === "string" ? { "slipway.owner": owner } : {}),
    ...(typeof region === "string" ? { "cloud.region": region } : {}),
    ...(typeof spec === "string" ? { "host.type": spec } : {}),
  };
}
