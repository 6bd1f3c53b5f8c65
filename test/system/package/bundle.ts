// Bundles a module as users of browsers and workers do: by the export conditions of the platform.
import { basename, join, resolve } from "node:path";
import { type Plugin, rolldown } from "rolldown";

/**
 * Bundles `entry` into `outFile`, a file in the same folder. Returns the WebAssembly modules that it imports: they stay outside,
 * under their own names, beside it.
 */
export async function bundle(
  entry: string,
  outFile: string,
  conditions: readonly string[],
): Promise<string[]> {
  const modules: string[] = [];
  const leaveWasm: Plugin = {
    name: "leave-wasm",
    resolveId(specifier, importer) {
      if (!specifier.endsWith(".wasm")) return undefined;
      modules.push(resolve(join(importer!, ".."), specifier));
      return { id: `./${basename(specifier)}`, external: true };
    },
  };
  const build = await rolldown({
    input: entry,
    platform: "neutral",
    resolve: { conditionNames: [...conditions, "import", "default"] },
    plugins: [leaveWasm],
  });
  try {
    await build.write({ file: outFile, format: "esm" });
  } finally {
    await build.close();
  }
  return modules;
}
