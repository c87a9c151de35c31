const actions = new Set<() => void>();

/**
 * Runs an action when the process ends, unless it is taken back. One listener serves all.
 * @param action synchronous; must not throw
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

function runAll(): void {
  for (const action of actions) action();
}
