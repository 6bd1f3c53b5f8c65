/** Lets the faults of a run happen, and undoes all of them when it is to heal. */
import type { SimClient } from "../client/client.ts";
import type { SimCluster, SimNode } from "../cluster.ts";
import type { Connection } from "../network/connection.ts";
import type { CrashFault, Fault } from "./fault.ts";

/** A fault that was let out: it would have broken what the run must keep. */
export interface SkippedFault {
  readonly fault: Fault;
  readonly why: string;
}

export class FaultInjector {
  readonly #cluster: SimCluster;
  readonly #clients: readonly SimClient[];
  readonly #undo = new Set<() => void>();
  readonly #mayLoseMajority: boolean;
  readonly skipped: SkippedFault[] = [];
  /** When a datacenter lost a majority of its replicas' memory. */
  readonly losses: { readonly datacenter: string; readonly atMs: number }[] = [];
  #healed = false;

  /** `mayLoseMajority`: whether nodes may crash while others of their datacenter lack their state. */
  constructor(
    cluster: SimCluster,
    clients: readonly SimClient[],
    options: { readonly mayLoseMajority: boolean },
  ) {
    this.#cluster = cluster;
    this.#clients = clients;
    this.#mayLoseMajority = options.mayLoseMajority;
  }

  /** Has the faults happen, each at its time from now on. */
  begin(faults: readonly Fault[]): void {
    const { world } = this.#cluster;
    for (const fault of faults) {
      world.schedule(fault.atMs, `fault ${fault.kind}`, () => {
        if (!this.#healed) this.#inject(fault);
      });
    }
  }

  /** Ends all faults: whatever was blocked, paused, stopped or off is right again. */
  heal(): void {
    this.#healed = true;
    for (const undo of [...this.#undo]) undo();
    for (const node of this.#cluster.nodes) {
      node.resume();
      if (!node.isRunning) node.start();
      node.correctClock();
    }
  }

  #inject(fault: Fault): void {
    const { network } = this.#cluster;
    const hit = (what: string, times = 1) => this.#cluster.world.sometimes.hit(what, times);
    this.#noteInFlight(fault);
    switch (fault.kind) {
      case "cut":
        for (const connection of network.between(...fault.between)) {
          if (connection.travellingBytes !== 0) hit("a link was cut with frames in flight");
          connection.cut(fault.how);
          // What was swallowed is answered with a reset when the network heals.
          if (fault.how === "silent") this.#undo.add(() => connection.end());
        }
        break;
      case "client-cut":
        this.#cutClient(fault.client, (connection) => connection.cut(fault.how));
        break;
      case "stall":
        this.#stall(fault.from, fault.to, fault.forMs);
        break;
      case "partition":
        for (const [from, to] of fault.blocked) network.block(from, to);
        this.#after(fault.forMs, () => {
          for (const [from, to] of fault.blocked) network.unblock(from, to);
        });
        break;
      case "pause": {
        const node = this.#cluster.node(fault.node);
        if (!node.isRunning || node.isPaused) return;
        node.pause();
        this.#after(fault.forMs, () => node.resume());
        break;
      }
      case "crash":
        this.#crash(fault);
        break;
      case "clock-jump":
        this.#cluster.node(fault.node).jumpClock(fault.byMs);
        break;
      case "clock-drift": {
        const node = this.#cluster.node(fault.node);
        node.driftClock(fault.rate);
        this.#after(fault.forMs, () => node.driftClock(1));
        break;
      }
      case "clock-correct":
        this.#cluster.node(fault.node).correctClock();
        break;
      case "refuse":
        network.setRefusing(fault.node, true);
        this.#after(fault.forMs, () => network.setRefusing(fault.node, false));
        break;
    }
    hit(`fault: ${fault.kind}`);
  }

  #cutClient(index: number, cut: (connection: Connection) => void): void {
    const client = this.#clients[index % this.#clients.length];
    if (client === undefined) return;
    const { world, network } = this.#cluster;
    for (const connection of [...network.connections]) {
      if (connection.sideOf(client.host) === undefined) continue;
      if (client.pending.length !== 0)
        world.sometimes.hit("a client was cut with requests pending");
      client.noteBroken();
      cut(connection);
    }
  }

  #stall(from: string, to: string, forMs: number): void {
    const stalled = this.#cluster.network.between(from, to).flatMap((connection) => {
      const side = connection.sideOf(from);
      return side === undefined ? [] : [{ connection, side }];
    });
    for (const { connection, side } of stalled) connection.stall(side, true);
    this.#after(forMs, () => {
      for (const { connection, side } of stalled) connection.stall(side, false);
    });
  }

  #crash(fault: CrashFault): void {
    const node = this.#cluster.node(fault.node);
    if (!node.isRunning) return;
    const { datacenter } = node.place;
    const others = this.#cluster.nodes.filter(
      (each) => each !== node && each.place.datacenter === datacenter,
    );
    const lacking = others.filter((each) => !each.isRunning || each.isFenced);
    // What a quorum has acknowledged, at least one replica must still hold.
    const racks = new Set([node, ...others].map((each) => each.place.rack)).size;
    const mayLack = Math.floor(racks / 2);
    if (lacking.length + 1 > mayLack) {
      if (!this.#mayLoseMajority) {
        const names = lacking.map((each) => each.host).join(", ");
        this.skipped.push({ fault, why: `too few replicas would be left, without ${names}` });
        return;
      }
      this.losses.push({ datacenter, atMs: this.#cluster.world.nowMs });
    }
    for (const client of this.#clients) {
      // Nobody tells the clients of a machine that has lost its power.
      if (fault.how === "power" && client.target?.name === node.host) client.noteBroken();
    }
    node.crash(fault.how);
    this.#after(fault.forMs, () => node.start());
  }

  #after(ms: number, undo: () => void): void {
    const once = () => {
      if (this.#undo.delete(once)) undo();
    };
    this.#undo.add(once);
    this.#cluster.world.schedule(ms, "fault ends", once);
  }

  /** Counts faults that meet requests in flight. */
  #noteInFlight(fault: Fault): void {
    const touched = touchedNodes(fault, this.#cluster.nodes);
    for (const client of this.#clients) {
      if (client.target === undefined || !touched.has(client.target.name)) continue;
      for (const { operation } of client.pending) {
        const isWrite = WRITES.has(operation.command[0]!);
        const level = isWrite ? operation.write : operation.read;
        const what = `${level} ${isWrite ? "write" : "read"}`;
        this.#cluster.world.sometimes.hit(`${fault.kind} during a ${what}`);
      }
    }
  }
}

/** Names of commands that write. */
const WRITES: ReadonlySet<string> = new Set([
  ...["SET", "GETSET", "MSET", "DEL", "UNLINK", "HSET", "HDEL", "INCR", "INCRBY", "APPEND"],
  ...["PEXPIRE", "PERSIST"],
]);

/** The nodes that a fault happens to. */
function touchedNodes(fault: Fault, nodes: readonly SimNode[]): ReadonlySet<string> {
  switch (fault.kind) {
    case "cut":
      return new Set(fault.between);
    case "stall":
      return new Set([fault.from, fault.to]);
    case "partition":
      return new Set(fault.blocked.flat());
    case "client-cut":
      return new Set(nodes.map((node) => node.host));
    case "pause":
    case "crash":
    case "clock-jump":
    case "clock-drift":
    case "clock-correct":
    case "refuse":
      return new Set([fault.node]);
  }
}
