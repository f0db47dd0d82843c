import type { Remote } from "./remote.ts";
import type { MemoryWorld } from "./world.ts";

type WorldSettings = Pick<MemoryWorld, "setCapacity" | "setQuotas" | "setPrice" | "setSpotFactor" | "setRegionDown">;

/** What the remote has to offer, changed while it runs. */
export function worldSettings(present: () => Remote): WorldSettings {
  return {
    setCapacity: (rule) => {
      const world = present();
      const others = world.capacity.filter(
        (other) => other.region !== rule.region || other.zone !== rule.zone || other.spec !== rule.spec,
      );
      world.capacity = [...others, rule];
    },
    setQuotas: (quotas) => {
      present().quotas = quotas;
    },
    setPrice: (spec, usdPerHour) => {
      present().prices.set(spec, usdPerHour);
    },
    setSpotFactor: (factor) => {
      present().spotFactor = factor;
    },
    setRegionDown: (region, down) => {
      if (down) present().downRegions.add(region);
      else present().downRegions.delete(region);
    },
  };
}
