import { expect, test } from "vitest";
import { replicaState } from "../../../src/sim/replica-state.ts";
import { Replica } from "../store/replica.ts";

test("replicas whose fields came in another order hold the same", () => {
  const [writer, one, other] = [new Replica(1), new Replica(2), new Replica(3)];
  const frames = [
    ...writer.run(["HSET", "h", "a", "1"]),
    ...writer.run(["HSET", "h", "b", "2"]),
    ...writer.run(["HDEL", "h", "c"]),
  ];
  for (const frame of frames) one.apply(frame);
  for (const frame of [...frames].reverse()) other.apply(frame);
  expect(replicaState(one.store)).toEqual(replicaState(writer.store));
  expect(replicaState(other.store)).toEqual(replicaState(writer.store));
});

test("a field, its stamp and its value make a difference", () => {
  const [writer, one] = [new Replica(1), new Replica(2)];
  for (const frame of writer.run(["HSET", "h", "a", "1"])) one.apply(frame);
  const before = replicaState(one.store);
  writer.run(["HSET", "h", "a", "1"]);
  expect(replicaState(writer.store)).not.toEqual(before);
});
