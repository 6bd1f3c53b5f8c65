// No module keeps state: two nodes in one process must not meet. What a module declares outside of functions and
// instances stays as it was when the module had been loaded.
import { analyze } from "@typescript-eslint/scope-manager";
import { isSyntax, type Source, type Syntax, type Violation, violation, walk } from "./source.ts";

/** Collections that are made to be changed, unless their declared type says that nobody does. */
const MUTABLE_COLLECTIONS: ReadonlySet<string> = new Set([
  ...["Map", "Set", "WeakMap", "WeakSet", "Array"],
]);

const MUTATORS: ReadonlySet<string> = new Set([
  ...["set", "add", "delete", "clear", "push", "pop", "shift", "unshift", "splice", "sort"],
  ...["reverse", "fill", "copyWithin", "setUint8", "setUint16", "setUint32", "setBigUint64"],
]);

export function checkModuleState(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) => [...checkDeclarations(source), ...checkMutations(source)]);
}

function checkDeclarations(source: Source): Violation[] {
  const found: Violation[] = [];
  const report = (at: Syntax, message: string) =>
    found.push(violation("module-state", source, at, message));
  for (const statement of source.program.body as readonly Syntax[]) {
    const declaration = isSyntax(statement.declaration) ? statement.declaration : statement;
    if (declaration.type !== "VariableDeclaration" || declaration.declare === true) continue;
    if (declaration.kind !== "const")
      report(declaration, `${declaration.kind} outside of a function`);
    for (const { id, init } of declaration.declarations as readonly Declarator[]) {
      if (isMutableCollection(init) && !isReadonlyType(id.typeAnnotation)) {
        report(declaration, "a collection outside of a function, whose type is not read-only");
      }
    }
  }
  walk(source.program, (node) => {
    if (node.type !== "PropertyDefinition" || node.static !== true) return;
    if (node.readonly !== true) report(node, "a static property that is not readonly");
    if (isMutableCollection(node.value) && !isReadonlyType(node.typeAnnotation)) {
      report(node, "a static collection whose type is not read-only");
    }
  });
  return found;
}

interface Declarator {
  readonly id: Syntax;
  readonly init: unknown;
}

function isMutableCollection(value: unknown): boolean {
  if (!isSyntax(value) || value.type !== "NewExpression") return false;
  const callee = value.callee as Syntax;
  return callee.type === "Identifier" && MUTABLE_COLLECTIONS.has(String(callee.name));
}

function isReadonlyType(annotation: unknown): boolean {
  if (!isSyntax(annotation)) return false;
  const type = annotation.typeAnnotation as Syntax;
  if (type.type === "TSTypeOperator") return type.operator === "readonly";
  const name = type.type === "TSTypeReference" ? (type.typeName as Syntax).name : undefined;
  return typeof name === "string" && name.startsWith("Readonly");
}

/** Finds where the content of something that the module declared or imported is changed. */
function checkMutations(source: Source): Violation[] {
  const found: Violation[] = [];
  const scopes = analyze(source.program as never, { sourceType: "module", lib: [] });
  const moduleScope = scopes.scopes.find((scope) => scope.type === "module");
  for (const variable of moduleScope?.variables ?? []) {
    const kind: string | undefined = variable.defs[0]?.type;
    if (kind !== "Variable" && kind !== "ImportBinding") continue;
    for (const reference of variable.references) {
      const at = reference.identifier as unknown as Syntax;
      if (!isMutation(source, at, kind === "Variable")) continue;
      const message = `changes what the module's ${variable.name} holds`;
      found.push(violation("module-state", source, at, message));
    }
  }
  return found;
}

function isMutation(source: Source, at: Syntax, own: boolean): boolean {
  const parent = source.parents.get(at)!;
  if (own && parent.type === "CallExpression" && (parent.arguments as Syntax[])[0] === at) {
    const callee = parent.callee as Syntax;
    return callee.type === "MemberExpression" && sourceOf(source, callee) === "Object.assign";
  }
  if (parent.type !== "MemberExpression" || parent.object !== at) return false;
  const user = source.parents.get(parent)!;
  if (user.type === "AssignmentExpression") return user.left === parent;
  if (user.type === "UpdateExpression") return true;
  if (user.type === "UnaryExpression") return user.operator === "delete";
  if (!own || user.type !== "CallExpression" || user.callee !== parent) return false;
  return MUTATORS.has(String((parent.property as Syntax).name));
}

function sourceOf(source: Source, node: Syntax): string {
  return source.text.slice(node.start, node.end);
}
