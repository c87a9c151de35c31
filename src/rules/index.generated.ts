// Written by scripts/generate.ts. Do not edit.
import type { Rule } from "../core/rule.ts";
export const rules: readonly Rule[] = [];
