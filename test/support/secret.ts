/** The secret of every app that is given no other. */
export const secret = 'keyboard cat'
