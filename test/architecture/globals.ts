// What a neutral layer may use of the global scope: ECMAScript and the few web interfaces that every runtime has, and
// of those nothing that reads a clock, draws a random number or arms a timer.
import { analyze } from "@typescript-eslint/scope-manager";
import { isNeutral } from "./layers.ts";
import { isSyntax, type Source, type Syntax, type Violation, violation, walk } from "./source.ts";

/** Values of the global scope that a neutral layer may name. Everything else is refused, known or not. */
const NEUTRAL_VALUES: ReadonlySet<string> = new Set([
  ...["Object", "Array", "String", "Number", "Boolean", "BigInt", "Symbol", "RegExp", "JSON"],
  ...["Map", "Set", "WeakMap", "WeakSet", "WeakRef", "FinalizationRegistry", "Promise", "Iterator"],
  ...["Reflect", "Proxy", "Infinity", "NaN", "undefined", "arguments"],
  ...["isNaN", "isFinite", "parseInt", "parseFloat", "encodeURIComponent", "decodeURIComponent"],
  ...["Error", "TypeError", "RangeError", "SyntaxError", "AggregateError"],
  ...["ArrayBuffer", "SharedArrayBuffer", "DataView", "Atomics"],
  ...["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array"],
  ...["Uint32Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"],
  ...["TextEncoder", "TextDecoder", "URL", "URLSearchParams", "structuredClone", "btoa", "atob"],
  ...["Request", "Response", "Headers", "ReadableStream", "WritableStream", "TransformStream"],
  ...["AbortController", "Event", "EventTarget", "CustomEvent", "DOMException", "WebAssembly"],
]);

/** Objects that are allowed but for some of their members, or only for some of them. */
const NEUTRAL_MEMBERS: Readonly<Record<string, (member: string) => boolean>> = {
  Math: (member) => member !== "random",
  Date: (member) => member === "UTC" || member === "parse",
  AbortSignal: (member) => member === "any" || member === "abort",
};

/** Types that only one platform declares. Other types cost nothing at run time and are left alone. */
const PLATFORM_TYPES: ReadonlySet<string> = new Set([
  ...["Buffer", "NodeJS", "Deno", "Bun", "Window", "Document", "Navigator", "Console"],
  ...["HTMLElement", "Element", "WebSocket", "Worker", "Storage", "Performance", "Location"],
]);

export function checkGlobals(sources: readonly Source[]): Violation[] {
  return sources.filter((source) => isNeutral(source.path)).flatMap(checkGlobalsOf);
}

function checkGlobalsOf(source: Source): Violation[] {
  const found: Violation[] = [];
  const report = (at: Syntax, message: string) =>
    found.push(violation("global", source, at, message));
  // With no library declared, whatever the file does not declare itself is a reference "through" the global scope.
  const scopes = analyze(source.program as never, { sourceType: "module", lib: [] });
  for (const reference of scopes.globalScope!.through) {
    const at = reference.identifier as unknown as Syntax;
    const name = String(at.name);
    if (reference.isTypeReference && !reference.isValueReference) {
      if (PLATFORM_TYPES.has(name)) report(at, `names the platform type ${name}`);
    } else if (name in NEUTRAL_MEMBERS) {
      const refusal = checkUse(source, at, name);
      if (refusal !== undefined) report(at, refusal);
    } else if (!NEUTRAL_VALUES.has(name)) {
      report(at, `uses the global ${name}`);
    }
  }
  walk(source.program, (node) => {
    // A declaration without a value would make a global look like a name of the file's own.
    if (node.declare === true || (node.type === "TSModuleDeclaration" && node.kind === "global")) {
      report(node, "declares something that another module or the platform must bring");
    }
    if (node.type === "MetaProperty" && isSyntax(node.meta) && node.meta.name === "import") {
      report(node, "uses import.meta");
    }
  });
  return found;
}

/** Checks one use of Math, Date or AbortSignal; anything but naming an allowed member is refused, an alias too. */
function checkUse(source: Source, at: Syntax, name: string): string | undefined {
  const parent = source.parents.get(at)!;
  if (name === "Date" && parent.type === "NewExpression" && parent.callee === at) {
    const given = parent.arguments as readonly Syntax[];
    return given.length > 0 && given[0]!.type !== "SpreadElement" ? undefined : "reads the clock";
  }
  if (parent.type !== "MemberExpression" || parent.object !== at || parent.computed === true) {
    if (parent.type === "BinaryExpression" && parent.operator === "instanceof") return undefined;
    return `uses the global ${name} otherwise than by a member's name`;
  }
  const member = String((parent.property as Syntax).name);
  return NEUTRAL_MEMBERS[name]!(member) ? undefined : `uses ${name}.${member}`;
}
