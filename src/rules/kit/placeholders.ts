/** Text that somebody or something should have replaced. */
export interface Placeholder {
  readonly kind: 'nil' | 'template' | 'substitution' | 'expansion' | 'reminder' | 'encrypted';
  /** The literal, as it stands in the string. */
  readonly literal: string;
}

/** What a Go template or `printf` prints for a value that is not there. */
const nilText = /<no value>|%![a-z]\((?:<nil>|MISSING|BADPREC|BADWIDTH|NOVERB|EXTRA)?[^)\n]{0,40}\)/;
const templateText = /\{\{[^{}\n]{0,200}\}\}/;
/** `${NAME}`, `${NAME:-default}`: envsubst, Flux, Terraform, Maven. Lower-case dotted names are left to applications. */
const substitutionText = /\$\{[A-Za-z_][A-Za-z0-9_]{0,100}(?::?[-=?+][^}\n]{0,100})?\}/;
const expansionText = /(?<!\$)\$\(([A-Za-z_][A-Za-z0-9_.-]{0,100})\)/g;
const reminderText =
  /(?:^|[^A-Za-z])(CHANGE[-_]?ME|REPLACE[-_]?ME|REPLACE[-_]THIS|FILL[-_]?ME(?:[-_]IN)?|INSERT[-_][A-Z]{2,20}[-_]HERE|FIXME|YOUR[-_][A-Z0-9_-]{2,40}[-_]HERE)(?![A-Za-z])/i;
const wholeReminder = /^(?:TODO\b.{0,80}|TBD|<[A-Za-z][A-Za-z0-9 _-]{2,60}>)$/;
const encryptedText = /ENC\[AES256_GCM,data:/;

/** `<no value>`, `%!s(<nil>)`: never meant, in any place. */
export function nilIn(text: string): Placeholder | undefined {
  const match = nilText.exec(text);
  return match === null ? undefined : { kind: 'nil', literal: match[0] };
}

/** `{{ … }}` that no template engine has seen. */
export function templateIn(text: string): Placeholder | undefined {
  const match = templateText.exec(text);
  return match === null ? undefined : { kind: 'template', literal: match[0] };
}

/** `${NAME}`. */
export function substitutionIn(text: string): Placeholder | undefined {
  const match = substitutionText.exec(text);
  return match === null ? undefined : { kind: 'substitution', literal: match[0] };
}

/** Names in `$(NAME)`; `$$(NAME)` is escaped and not among them. */
export function expansionsIn(text: string): readonly { readonly name: string; readonly literal: string }[] {
  return [...text.matchAll(expansionText)].map((match) => ({ name: match[1] ?? '', literal: match[0] }));
}

/** CHANGEME and its relatives; as a whole value also `TODO …` and `<your value>`. */
export function reminderIn(text: string): Placeholder | undefined {
  const match = reminderText.exec(text);
  if (match?.[1] !== undefined) return { kind: 'reminder', literal: match[1] };
  return wholeReminder.test(text.trim()) ? { kind: 'reminder', literal: text.trim() } : undefined;
}

/** A value that SOPS encrypted and nobody decrypted. */
export function encryptedIn(text: string): Placeholder | undefined {
  return encryptedText.test(text) ? { kind: 'encrypted', literal: 'ENC[AES256_GCM,…]' } : undefined;
}
