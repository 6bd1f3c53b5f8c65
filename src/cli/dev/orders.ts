// What can be typed into the terminal of `ringlet dev`.

export type Order =
  | { readonly kind: "start" | "kill"; readonly node: number }
  | { readonly kind: "status" | "ring" | "quit" | "nothing" }
  | { readonly kind: "wrong"; readonly message: string };

export const ORDERS_TEXT = "status, ring, kill <node>, start <node> or quit";

/** Reads one line; `nodes`: how many there are. */
export function readOrder(line: string, nodes: number): Order {
  const [word = "", which, ...more] = line.trim().toLowerCase().split(/\s+/);
  if (word === "") return { kind: "nothing" };
  if (more.length === 0) {
    if (word === "kill" || word === "start") {
      const node = Number(which);
      if (Number.isInteger(node) && node >= 1 && node <= nodes) return { kind: word, node };
      return {
        kind: "wrong",
        message: `${word} which one? Type ${word} and a number from 1 to ${nodes}.`,
      };
    }
    if (which === undefined) {
      if (word === "exit") return { kind: "quit" };
      if (word === "status" || word === "ring" || word === "quit") return { kind: word };
    }
  }
  return { kind: "wrong", message: `Not understood. Type ${ORDERS_TEXT}.` };
}
