export const OWNER = "fleet";
export const LEASE_MS = 6000;
/** Of each pool. */
export const MACHINES = 3;
