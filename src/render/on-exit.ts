const actions = new Set<() => void>();

/**
 * Runs an action when the process ends, unless it is taken back. One listener serves all.
 * @param action synchronous; what it throws is dropped
 * @returns takes the action back
 */
export function onExit(action: () => void): () => void {
  if (actions.size === 0) process.on('exit', runAll);
  actions.add(action);
  return () => {
    actions.delete(action);
    if (actions.size === 0) process.removeListener('exit', runAll);
  };
}

/** Children are registered after the folders that they write to, and end before these are removed. */
function runAll(): void {
  for (const action of [...actions].toReversed()) {
    try {
      action();
    } catch {
      // The process is ending and there is nobody to tell; the other actions must still run.
    }
  }
}
