export {
  answerHeartbeat,
  type HeartbeatCall,
  type HeartbeatDetails,
  type HeartbeatTasks,
} from "./answer-heartbeat.ts";
