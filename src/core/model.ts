/** The vocabulary of all stages: objects, targets, changes, findings and the report. */
export * from './object.ts';
export * from './target.ts';
export * from './change.ts';
export * from './report.ts';
