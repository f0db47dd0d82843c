import type { Provider } from "@slipway/core";

type Wrap<In extends Provider, Out extends Provider> = (provider: In) => Out;

/**
 * Wraps a provider in layers. The last one is outermost: it sees a call first. Layers that add a capability give the
 * next one, and the result, the wider type.
 *
 * @example
 * ```ts
 * import { spanLayer } from "@slipway/otel";
 *
 * const seen = compose(provider, spanLayer());
 * await seen.list();
 * ```
 */
export function compose<P extends Provider>(provider: P): P;
export function compose<P extends Provider, A extends Provider>(provider: P, a: Wrap<P, A>): A;
export function compose<P extends Provider, A extends Provider, B extends Provider>(
  provider: P,
  a: Wrap<P, A>,
  b: Wrap<A, B>,
): B;
export function compose<P extends Provider, A extends Provider, B extends Provider, C extends Provider>(
  provider: P,
  a: Wrap<P, A>,
  b: Wrap<A, B>,
  c: Wrap<B, C>,
): C;
export function compose<
  P extends Provider,
  A extends Provider,
  B extends Provider,
  C extends Provider,
  D extends Provider,
>(provider: P, a: Wrap<P, A>, b: Wrap<A, B>, c: Wrap<B, C>, d: Wrap<C, D>): D;
export function compose<
  P extends Provider,
  A extends Provider,
  B extends Provider,
  C extends Provider,
  D extends Provider,
  E extends Provider,
>(provider: P, a: Wrap<P, A>, b: Wrap<A, B>, c: Wrap<B, C>, d: Wrap<C, D>, e: Wrap<D, E>): E;
export function compose<P extends Provider>(provider: P, ...layers: readonly (<Q extends Provider>(q: Q) => Q)[]): P;
export function compose(provider: Provider, ...layers: readonly ((provider: Provider) => Provider)[]): Provider {
  return layers.reduce((inner, layer) => layer(inner), provider);
}
