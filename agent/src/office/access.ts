/** Routes of this folder, as the counter's table of roles takes them. IT sees counts and reasons, never a person. */
export const OFFICE_ROUTES = {
  both: [
    'GET /office',
    'GET /office/dry-run',
    'POST /office/dry-run',
    'POST /office/count',
    'GET /office/imports',
    'GET /office/sources',
    'POST /office/sources/count',
  ],
  privacy: [
    'GET /office/list/:list',
    'POST /office/open',
    'POST /office/list/:list/export',
    'GET /office/provisions',
    'GET /office/provisions/:batch',
    'POST /office/provisions/export',
    'GET /office/evidence',
    'POST /office/evidence',
    'POST /office/imports/:run/undo',
    'GET /patient/:handle/record',
    'POST /patient/:handle/record/:act',
    'GET /office/backdates',
    'POST /office/backdates/:notice',
  ],
} as const
