import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Attributes,
  type Context,
  type ContextManager,
  context,
  createNoopMeter,
  type Meter,
  type ObservableCallback,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  type Tracer,
  trace,
} from "@opentelemetry/api";

/** A span as it was made, with its parent. */
export interface RecordedSpan {
  readonly name: string;
  readonly parent: string | null;
  readonly attributes: Attributes;
  readonly events: string[];
  status: number | null;
  ended: boolean;
}

/** What an SDK would do, as far as these tests look: the active context, and spans with their parents. */
export function recorder(): { readonly tracer: Tracer; readonly spans: readonly RecordedSpan[] } {
  const spans: RecordedSpan[] = [];
  const ofSpan = new WeakMap<Span, RecordedSpan>();
  const startSpan = (name: string, options: SpanOptions = {}, parentOf: Context = context.active()): Span => {
    const parent = trace.getSpan(parentOf);
    const recorded: RecordedSpan = {
      name,
      parent: (parent && ofSpan.get(parent)?.name) ?? null,
      attributes: { ...options.attributes },
      events: [],
      status: null,
      ended: false,
    };
    spans.push(recorded);
    const span: Span = {
      spanContext: () => ({ traceId: "1".repeat(32), spanId: "1".repeat(16), traceFlags: 1 }),
      setAttribute: (key, value) => {
        recorded.attributes[key] = value;
        return span;
      },
      setAttributes: (more) => {
        Object.assign(recorded.attributes, more);
        return span;
      },
      addEvent: (event) => {
        recorded.events.push(event);
        return span;
      },
      addLink: () => span,
      addLinks: () => span,
      setStatus: ({ code }) => {
        recorded.status = code;
        return span;
      },
      updateName: () => span,
      end: () => {
        recorded.ended = true;
      },
      isRecording: () => true,
      recordException: () => undefined,
    };
    ofSpan.set(span, recorded);
    return span;
  };
  const startActiveSpan = (): never => {
    throw new Error("not used");
  };
  return { tracer: { startSpan, startActiveSpan }, spans };
}

export function asyncContexts(): ContextManager {
  const storage = new AsyncLocalStorage<Context>();
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, work, self, ...args) => storage.run(active, () => Reflect.apply(work, self, args)),
    bind: (_active, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}

/** What was recorded, as `name{attributes} value`; `collect` asks for what is only observed. */
export function recordingMeter(): {
  readonly meter: Meter;
  readonly values: string[];
  readonly collect: () => Promise<void>;
} {
  const values: string[] = [];
  const observed: (() => void | Promise<void>)[] = [];
  const note = (name: string, value: number, attributes: Attributes = {}): void => {
    const labels = Object.entries(attributes).map(([key, text]) => `${key}=${String(text)}`);
    values.push(`${name}{${labels.join(",")}} ${value}`);
  };
  const meter: Meter = Object.assign(createNoopMeter(), {
    createHistogram: (name: string) => ({ record: (v: number, a?: Attributes) => note(name, v, a) }),
    createCounter: (name: string) => ({ add: (v: number, a?: Attributes) => note(name, v, a) }),
    createGauge: (name: string) => ({ record: (v: number, a?: Attributes) => note(name, v, a) }),
    createObservableGauge: (name: string) => ({
      addCallback: (callback: ObservableCallback) => {
        observed.push(() => callback({ observe: (v: number, a?: Attributes) => note(name, v, a) }));
      },
      removeCallback: () => undefined,
    }),
  });
  const collect = async (): Promise<void> => {
    for (const observe of observed) await observe();
  };
  return { meter, values, collect };
}
