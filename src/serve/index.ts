/** A page and a small API over HTTP to search an index. */
export { type ServeOptions, type Server, serve } from './server.ts'
