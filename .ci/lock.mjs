// A lock file that survives its holder's death: setup takes it, so that `npm start` and `npm test` begun at the same time
// in one checkout do not install and build over each other.
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";

/** A lock older than this belongs to nobody, whatever its process id says (ids are used again). */
const staleAfterMs = 30 * 60_000;
const pollMs = 100;

/**
 * Takes the lock, waiting for its holder to let go; `onWait(pid)` is called once when there is somebody to wait for.
 * Returns the function that releases it.
 */
export async function takeLock(file, onWait) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${process.pid} ${hostname()}`;
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, mine);
  let told = false;
  try {
    while (!linkTo(draft, file)) {
      const holder = read(file);
      if (holder === undefined) continue;
      if (isStale(file, holder)) {
        breakLock(file, holder, draft);
        continue;
      }
      if (!told) onWait(holder.split(" ")[0]);
      told = true;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (read(file) === mine) rmSync(file, { force: true });
  };
}

/** Creates `file` with the content already in it, so that nobody reads an empty lock. False when it exists. */
function linkTo(draft, file) {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function isStale(file, holder) {
  const [pid, host] = holder.split(" ");
  try {
    if (Date.now() - statSync(file).mtimeMs > staleAfterMs) return true;
    if (host !== hostname()) return false;
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/** Moves a dead holder's lock out of the way; one that was taken by somebody living in the meantime is put back. */
function breakLock(file, holder, draft) {
  const aside = `${draft}.stale`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  if (read(aside) !== holder) linkTo(aside, file);
  rmSync(aside, { force: true });
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
