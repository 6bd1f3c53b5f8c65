/**
 * The Redis or Valkey server behind a member of a ring. Before clients' commands go over a connection it looks whether the server is one
 * that can keep stamps, and whether it was started again since: what it held may be gone then, and the node copies it from others.
 */
import type { Logger } from "../../base/logger.ts";
import type { Runtime } from "../../base/runtime.ts";
import type { Settings } from "../../base/settings.ts";
import type { Backend } from "../../store/backend/backend.ts";
import type { BackendConnection } from "../../store/backend/connection.ts";
import { BackendError } from "../../store/backend/failure.ts";
import type { EmbeddedStore } from "../../store/embedded-store.ts";
import { SIDE_DATABASE } from "../../store/stamped/scripts.ts";
import { ask, ServerScripts, textOf } from "../../store/stamped/server-scripts.ts";
import { StampedStore } from "../../store/stamped/stamped-store.ts";
import type { RecordPages } from "../copies.ts";
import type { CommandTable } from "../local-commands.ts";
import type { OwnCopy } from "../own-copy.ts";
import type { RingPort } from "../port.ts";
import { DataRequests, type DataRing } from "./data-requests.ts";
import { DataServer } from "./data-server.ts";
import { ServerCommands } from "./server-commands.ts";
import { ServerCopy } from "./server-copy.ts";
import { ServerPages } from "./server-pages.ts";

export interface RingServerParts {
  readonly backend: Backend;
  /** Whose clock mints the stamps. */
  readonly clock: EmbeddedStore;
  readonly runtime: Runtime;
  readonly settings: Settings;
  readonly log: Logger;
  /** This node's place in stamps. */
  readonly node: number;
}

/** What it needs of the ring's driver. */
export interface ServedRing extends DataRing {
  noteRefusedStamp(stamp: bigint): void;
  lose(reason: string): void;
}

/** The first version of Redis with all that the scripts use. */
const FIRST_VERSION = 7;

export class RingServer {
  readonly store: StampedStore;
  readonly commands: CommandTable = new ServerCommands();
  readonly #parts: RingServerParts;
  readonly #scripts: ServerScripts;
  #ring: ServedRing | undefined;
  #copy: OwnCopy | undefined;
  /** Which run of the server was seen last. */
  #runId: string | undefined;

  constructor(parts: RingServerParts) {
    const { backend, clock, runtime, node } = parts;
    this.#parts = parts;
    this.#scripts = new ServerScripts(backend.codec);
    this.store = new StampedStore({
      ...{ backend, node, scripts: this.#scripts },
      mint: () => {
        clock.setNow(runtime.now());
        return clock.kernel.hostMint();
      },
      observe: (stamp) => {
        clock.setNow(runtime.now());
        return clock.kernel.hostObserve(stamp) !== 0;
      },
    });
  }

  get isUp(): boolean {
    return this.store.isUp;
  }

  pages(port: RingPort): RecordPages {
    const { settings } = this.#parts;
    return new ServerPages({
      ...{ port, store: this.store },
      pageBytes: () => settings.get("copyPageBytes"),
    });
  }

  /** Answers the other nodes of the ring from now on. */
  join(ring: ServedRing): void {
    const { runtime, settings } = this.#parts;
    const { store } = this;
    const requests = new DataRequests(ring, runtime);
    new DataServer({ ring, store, requests });
    this.#ring = ring;
    this.#copy = new ServerCopy({
      ...{ port: ring, store, requests },
      deadline: () => runtime.monotonic() + settings.get("requestTimeoutMs"),
    });
  }

  /** What the executor works with; once it has joined. */
  get copy(): OwnCopy {
    if (this.#copy === undefined) throw new Error("the server has not joined the ring");
    return this.#copy;
  }

  /** Looks at the server over a connection that was just opened. Rejects with BackendError. */
  async greet(connection: BackendConnection): Promise<void> {
    const { codec } = this.#parts.backend;
    const questions = [
      ["INFO", "server"],
      ["INFO", "memory"],
      ["SELECT", SIDE_DATABASE],
      ["SELECT", 0],
    ];
    const bytes = await ask(
      connection,
      questions.map((question) => codec.writeRequest(question)),
    );
    const [server, memory, side] = codec.parseReplies(bytes).values.map(textOf);
    const refusal = refusalOf(fieldsOf(`${server}\r\n${memory}`), side ?? "");
    if (refusal !== undefined) throw new BackendError("BACKEND_REFUSED", refusal);
    const runId = fieldsOf(server!).get("run_id");
    if (this.#runId !== undefined && runId !== this.#runId) {
      this.#ring?.lose("the server behind this node was started again");
    }
    this.#runId = runId;
    await this.#scripts.load(connection);
  }
}

/** Why a server cannot hold the keys of a node of a ring. */
function refusalOf(fields: ReadonlyMap<string, string>, side: string): string | undefined {
  const version = fields.get("redis_version");
  if (version === undefined) return "it does not say of which version it is (INFO server)";
  if (Number.parseInt(version, 10) < FIRST_VERSION) {
    return `it is of version ${version}, and a node of a ring needs a server of ${FIRST_VERSION}.0 or later`;
  }
  if (fields.get("redis_mode") === "cluster") {
    return "it is a node of a Redis cluster, which divides the keys by itself: use one that is not";
  }
  if (side !== "OK") {
    return `stamps are kept in its database ${SIDE_DATABASE}, which it does not give (${side}): set databases to 16 or more`;
  }
  const policy = fields.get("maxmemory_policy");
  if (fields.get("maxmemory") !== "0" && policy !== "noeviction") {
    return `it evicts keys (maxmemory-policy ${policy}), and with them the stamps that keep replicas equal: set maxmemory-policy to noeviction`;
  }
  return undefined;
}

/** The lines "name:value" of INFO. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  const pairs = text.split("\r\n").flatMap((line): [string, string][] => {
    const colon = line.indexOf(":");
    return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
  });
  return new Map(pairs);
}
