/** Why a Git LFS pointer is not looked at. */
export const lfsReason = 'Git LFS pointer: the content is not in the repository and was not looked at';

/** https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: the first line names the version, and a pointer is under 1024 bytes. */
export function isLfsPointer(text: string): boolean {
  return text.length < 1024 && text.startsWith('version https://git-lfs.github.com/spec/');
}
