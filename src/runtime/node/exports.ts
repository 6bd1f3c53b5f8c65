/** `ringlet/node`: nodes on Node.js. */
export { RingletError } from "../../base/errors.ts";
export type { Logger } from "../../base/logger.ts";
export type { SettingValues } from "../../base/setting-table.ts";
export { SettingError } from "../../base/settings.ts";
export type { CommandArgument, ExecuteOptions, SetOptions } from "../../node/node-client.ts";
export type { Reply } from "../../node/plain-reply.ts";
export type { ClusterOptions, Distribution } from "../../ring/cluster-options.ts";
export type { ConsistencyLevel } from "../../ring/levels.ts";
export type { Member } from "../../ring/member.ts";
export type { MemberEvent } from "../../ring/peers.ts";
export type { MemberState, MemberView } from "../../ring/view.ts";
export type { BackendOptions, UnixSocket } from "../../store/backend-options.ts";
export {
  type CreateNodeOptions,
  createNode,
  DEFAULT_LISTEN,
  type ListenAddress,
  type Node,
} from "./create-node.ts";
export { loadPemKey } from "./pem-key.ts";
export { ListenError } from "./tcp.ts";
