// Runs a script in a page of Chromium that reaches nothing but this machine, and returns what it left.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const FLAGS = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** As far as this test uses it. */
interface Playwright {
  readonly chromium: {
    launch(options: { executablePath: string; args: readonly string[] }): Promise<{
      newPage(): Promise<Page>;
      close(): Promise<void>;
    }>;
  };
}

interface Page {
  goto(url: string): Promise<unknown>;
  on(event: "pageerror", listener: (error: Error) => void): void;
  evaluate(expression: string): Promise<unknown>;
}

/** Runs the module script in Chromium; resolves to the global `checks` that it sets, rejects with what it throws. */
export async function runInPage(
  runtimes: string,
  executablePath: string,
  script: string,
): Promise<unknown> {
  const { chromium }: Playwright = createRequire(join(runtimes, "package.json"))("playwright-core");
  const server = createServer((request, response) => {
    const isPage = request.url === "/";
    response.setHeader("content-type", isPage ? "text/html" : "text/javascript");
    response.end(
      isPage ? '<script type="module" src="/script.js"></script>' : readFileSync(script),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const page = await browser.newPage();
    const failed = new Promise((_, reject) => page.on("pageerror", reject));
    failed.catch(() => {});
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return await Promise.race([failed, page.evaluate("globalThis.checks")]);
  } finally {
    await browser.close();
    server.close();
  }
}
