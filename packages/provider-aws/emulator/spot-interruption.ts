import { beginEnd, type Scene, turnInstance } from "./transitions.ts";

const BY_EC2 = {
  code: "Server.SpotInstanceTermination",
  message: "Server.SpotInstanceTermination: Instance initiated shutdown due to Spot interruption",
};

/** EC2 wants a spot instance back: its request says so at once, and the instance ends after the notice. */
export function interruption(scene: Scene, id: string, noticeMs: number): void {
  const one = scene.region.instances.get(id)?.at(scene.now);
  if (!one || one.market !== "spot") return;
  const turn = beginEnd(scene, one, { reason: BY_EC2, afterMs: noticeMs });
  if (turn.length === 0) return;
  scene.region.spotRequests.get(one.spotRequestId ?? "")?.amend(scene.now, (request) => {
    const message = "Your Spot Instance is marked for termination.";
    return request.state === "active" ? { ...request, status: { code: "marked-for-termination", message } } : request;
  });
  turnInstance(scene, id, turn);
}
