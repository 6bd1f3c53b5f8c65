/** What tests of the coordinator say of wired kernels: three replicas of every key, and what they hold. */
import { expect } from "vitest";
import { WiredKernels, type WiredNode, type WiredOptions } from "./wired-kernels.ts";

export function three(options: Partial<WiredOptions> = {}) {
  const ring = new WiredKernels({ nodes: 3, ...options });
  return { ring, a: ring.node(0), b: ring.node(1), c: ring.node(2) };
}

/** Writes at one node alone, as if the others had not heard of it yet. */
export function alone(node: WiredNode, ...words: (string | number)[]): void {
  node.outsider().call(...words);
}

/** Values of a key at all nodes, which must hold the same stamp too. */
export function agreed(nodes: readonly WiredNode[], key: string): string | undefined {
  const stamps = new Set(nodes.map((node) => node.stamp(key)));
  expect(stamps.size, `stamps of ${key}`).toBe(1);
  return nodes[0]!.value(key);
}
