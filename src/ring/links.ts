/** The links of a ring: the hub that keeps one session with each other member, with the limits that the settings say. */
import type { Settings } from "../base/settings.ts";
import { LinkHub, type LinkHubOptions } from "../link/hub.ts";
import type { PeerSecurity } from "./peer-security.ts";
import type { Topology } from "./topology.ts";

export interface LinksParts
  extends Pick<
    LinkHubOptions,
    "runtime" | "transport" | "codec" | "crypto" | "log" | "events" | "version1" | "version1Peers"
  > {
  readonly settings: Settings;
  readonly secret: string | undefined;
  readonly security: PeerSecurity | undefined;
}

/** Makes the hub; it neither listens nor dials yet. */
export function ringLinks(topology: Topology, parts: LinksParts): LinkHub {
  const { settings, security, secret = security?.key.secret, ...others } = parts;
  const hub = new LinkHub({
    ...others,
    self: topology.self.index,
    peers: topology.members
      .filter((member) => member !== topology.self)
      .map((member) => ({ link: member.index, address: member.address })),
    ...(secret === undefined ? {} : { secret }),
    requireEncryption: settings.get("requireEncryption"),
    limits: {
      pingIntervalMs: settings.get("pingIntervalMs"),
      linkTimeoutMs: settings.get("linkTimeoutMs"),
      dialTimeoutMs: settings.get("dialTimeoutMs"),
      handshakeTimeoutMs: settings.get("handshakeTimeoutMs"),
      reconnectMinMs: settings.get("reconnectMinMs"),
      reconnectMaxMs: settings.get("reconnectMaxMs"),
      maxFrameBytes: settings.get("maxFrameBytes"),
      maxLinkQueueBytes: settings.get("maxLinkQueueBytes"),
    },
  });
  settings.onChange("maxLinkQueueBytes", (bytes) => hub.setMaxQueueBytes(bytes));
  return hub;
}
