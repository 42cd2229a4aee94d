/** Name of the cookie that holds a session of the console; the edge never forwards it to a service. */
export const consoleCookie = 'holdfast_session'
