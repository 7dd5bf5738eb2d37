/** Routes of this folder, as the counter's table of roles takes them. */
export const PAPER_ROUTES = {
  desk: [
    'GET /papers',
    'POST /papers/print',
    'GET /papers/run/:run',
    'POST /papers/run/:run/void',
    'POST /papers/find',
    'GET /papers/sheet/:paper',
    'POST /papers/sheet/:paper/handed',
    'POST /papers/sheet/:paper/void',
    'GET /papers/poster',
  ],
  privacy: ['POST /papers/run/:run/posted', 'GET /papers/filing'],
} as const
