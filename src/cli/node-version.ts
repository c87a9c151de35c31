/** `engines` of package.json, which npm only warns about. */
const oldest = [22, 19] as const;

/** What to say when this Node.js is too old to run gate; undefined when it is not. @param version `22.19.0` */
export function tooOldNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return undefined;
  return `gate: needs Node.js ${oldest.join('.')} or newer, and this is ${version}\n  Install a newer Node.js, or in a checkout use npm run gate, which brings its own.\n`;
}
