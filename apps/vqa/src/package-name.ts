/** What errors of this application sign with. */
export const packageName = '@dynaprompt/vqa';
