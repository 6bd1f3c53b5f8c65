// System tests run the built package: builds it when the sources have changed since.
export default async function setup(): Promise<void> {
  // A plain JavaScript module without types.
  const steps: string = "../../.ci/steps.mjs";
  const { setUp } = await import(steps);
  if (!(await setUp({ quiet: true }))) throw new Error("the build failed: see above");
}
