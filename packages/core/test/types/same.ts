type Identical<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;

/** Compiles only if both types are the same one. */
export function same<A, B>(..._: Identical<A, B> extends true ? [] : [differs: never]): void {}
