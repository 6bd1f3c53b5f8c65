// Three nodes of one ring in this process; other members would be on other machines.
import { createNode } from "ringlet/node";

const host = "127.0.0.1";
const port = Number(process.argv[2] ?? 7101);
const racks = ["rack1", "rack2", "rack3"];
const seeds = racks.map((rack, i) => `${host}:${port + i}:${rack}:localdc:0`);
const text = (bytes) => (bytes === undefined ? "nothing" : new TextDecoder().decode(bytes));

const nodes = [];
try {
  for (const [i, rack] of racks.entries()) {
    nodes.push(
      await createNode({
        listen: { host, port: 0 }, // for Redis clients: node.address says which port it is
        cluster: { rack, tokens: "0", listen: { host, port: port + i }, seeds },
        readConsistency: "dc_quorum",
        writeConsistency: "dc_quorum",
      }),
    );
  }
  await Promise.all(nodes.map((node) => node.ready({ signal: AbortSignal.timeout(10_000) })));

  const [one, two, three] = nodes;
  one.onMember(({ kind, member }) => console.log(`${member.rack} is ${kind}`));

  await one.set("greeting", "hello", { expiresInMs: 60_000 });
  console.log(text(await two.get("greeting", { signal: AbortSignal.timeout(1000) })));
  console.log(await three.execute(["INCRBY", "visits", 2], { consistency: "DC_SAFE_QUORUM" }));

  await three.close();
  await one.set("greeting", "still here"); // two of three hold it: a quorum
  console.log(text(await two.get("greeting")));

  await two.close();
  await one.set("greeting", "alone").catch(({ code, message }) => console.log(code, message));
} finally {
  await Promise.all(nodes.map((node) => node.close()));
}
