import type { Fields } from './fill.ts';

/** Fills in the defaults of one kind. `version` is the API version without group: `v1`, `v1beta1`. */
export type Defaulter = (object: Fields, version: string, group: string) => Fields;
